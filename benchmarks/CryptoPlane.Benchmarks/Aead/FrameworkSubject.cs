using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>The framework's <see cref="AesGcm"/> and <see cref="ChaCha20Poly1305"/>, one object per key, kept.</summary>
internal sealed unsafe class FrameworkSubject : IBenchmarkSubject
{
    /// <summary>Operations of one run.</summary>
    public const int OperationsOfRun = AeadWorkload.Operations;

    private delegate void Operation(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> tag, ReadOnlySpan<byte> aad);

    private readonly AeadWorkload _workload;
    private readonly IDisposable[] _keys;
    private readonly Operation[] _operations;
    private ulong _nonce = AeadWorkload.Operations;

    public FrameworkSubject(AeadWorkload workload)
    {
        _workload = workload;
        bool chaCha = workload.Algorithm == AeadAlgorithm.ChaCha20Poly1305;
        Name = chaCha ? "ChaCha20Poly1305" : "AesGcm";
        bool seal = workload.Direction == AeadDirection.Seal;
        _keys = [.. workload.Keys.Select(key => chaCha ? (IDisposable)new ChaCha20Poly1305(key) : new AesGcm(key, AeadSizes.Tag))];
        _operations = [.. _keys.Select(key => (key, seal) switch
        {
            (AesGcm aes, true) => (Operation)aes.Encrypt,
            (AesGcm aes, false) => (nonce, source, destination, tag, aad) => aes.Decrypt(nonce, source, tag, destination, aad),
            (ChaCha20Poly1305 cipher, true) => cipher.Encrypt,
            (ChaCha20Poly1305 cipher, false) => (nonce, source, destination, tag, aad) => cipher.Decrypt(nonce, source, tag, destination, aad),
            _ => throw new InvalidOperationException("The workload has another algorithm."),
        })];
    }

    public string Name { get; }

    public int OperationsPerRun => OperationsOfRun;

    // The same buffers serve every run.
    public bool Prepare() => false;

    public void Run()
    {
        bool seal = _workload.Direction == AeadDirection.Seal;
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        for (int i = 0; i < AeadWorkload.Operations; i++)
        {
            AeadWorkload.WriteNonce(nonce, seal ? _nonce++ : (ulong)i);
            byte* tag = (seal ? _workload.Destination(i) : _workload.Source(i)) + _workload.Length;
            _operations[i % _operations.Length](nonce, new ReadOnlySpan<byte>(_workload.Source(i), _workload.Length),
                new Span<byte>(_workload.Destination(i), _workload.Length), new Span<byte>(tag, AeadSizes.Tag), _workload.Aad);
        }
    }

    public void Verify()
    {
        // The framework throws where a tag is wrong.
    }

    public void Dispose()
    {
        foreach (IDisposable key in _keys)
            key.Dispose();
    }
}
