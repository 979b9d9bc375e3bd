using System.Security.Cryptography;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>The framework's <see cref="AesGcm"/> and <see cref="ChaCha20Poly1305"/>, one object per key, kept.</summary>
internal sealed unsafe class FrameworkSubject : AeadSubject
{
    private delegate void Operation(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination, Span<byte> tag, ReadOnlySpan<byte> aad);

    private readonly IDisposable[] _keys;
    private readonly Operation[] _operations;

    public FrameworkSubject(AeadWorkload workload)
        : base(NameOf(workload.Case.Algorithm), workload, Math.Min(workload.Slice, AeadWorkload.FewOperations))
    {
        bool chaCha = workload.Case.Algorithm == AeadAlgorithm.ChaCha20Poly1305;
        bool seal = workload.Case.Direction == AeadDirection.Seal;
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

    public static string NameOf(AeadAlgorithm algorithm) => algorithm == AeadAlgorithm.ChaCha20Poly1305 ? "ChaCha20Poly1305" : "AesGcm";

    public override void Verify()
    {
        // The framework throws where a tag is wrong.
    }

    public override void Dispose()
    {
        foreach (IDisposable key in _keys)
            key.Dispose();
    }

    protected override void Process(int first, int count)
    {
        bool seal = Workload.Case.Direction == AeadDirection.Seal;
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        for (int i = first; i < first + count; i++)
        {
            int length = Workload.Length(i);
            AeadWorkload.WriteNonce(nonce, i);
            byte* tag = (seal ? Workload.Destination(i) : Workload.Source(i)) + length;
            _operations[Workload.KeyOf(i)](nonce, new ReadOnlySpan<byte>(Workload.Source(i), length),
                new Span<byte>(Workload.Destination(i), length), new Span<byte>(tag, AeadSizes.Tag), Workload.Aad);
        }
    }
}
