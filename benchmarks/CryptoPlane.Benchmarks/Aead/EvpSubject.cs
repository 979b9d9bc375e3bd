using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>OpenSSL's EVP at its best: fetched cipher, one keyed context per key that only gets another nonce.</summary>
internal sealed unsafe class EvpSubject : IBenchmarkSubject
{
    /// <summary>Operations of one run.</summary>
    public const int OperationsOfRun = AeadWorkload.Operations;

    private readonly AeadWorkload _workload;
    private readonly nint _cipher;
    private readonly nint[] _contexts;
    private readonly int _encrypt;
    private ulong _nonce = AeadWorkload.Operations;
    private int _failures;

    public EvpSubject(AeadWorkload workload)
    {
        _workload = workload;
        _encrypt = workload.Direction == AeadDirection.Seal ? 1 : 0;
        _cipher = LibCryptoEvp.Fetch(0, workload.Algorithm switch
        {
            AeadAlgorithm.Aes128Gcm => "AES-128-GCM",
            AeadAlgorithm.Aes256Gcm => "AES-256-GCM",
            _ => "ChaCha20-Poly1305",
        }, null);
        if (_cipher == 0)
            throw new InvalidOperationException($"libcrypto has no {workload.Algorithm}.");
        _contexts = [.. workload.Keys.Select(NewContext)];
    }

    public string Name => "EVP";

    public int OperationsPerRun => OperationsOfRun;

    // The same buffers serve every run.
    public bool Prepare() => false;

    public void Run()
    {
        byte* nonce = stackalloc byte[AeadSizes.Nonce];
        fixed (byte* aad = _workload.Aad)
        {
            for (int i = 0; i < AeadWorkload.Operations; i++)
            {
                AeadWorkload.WriteNonce(new Span<byte>(nonce, AeadSizes.Nonce), _encrypt == 1 ? _nonce++ : (ulong)i);
                One(_contexts[i % _contexts.Length], i, nonce, aad);
            }
        }
    }

    public void Verify()
    {
        if (_failures != 0)
            throw new InvalidOperationException($"EVP: {_failures} operations failed.");
    }

    public void Dispose()
    {
        foreach (nint context in _contexts)
            LibCryptoEvp.FreeContext(context);
        LibCryptoEvp.FreeCipher(_cipher);
    }

    private void One(nint context, int index, byte* nonce, byte* aad)
    {
        int written;
        byte* destination = _workload.Destination(index);
        byte* tag = (_encrypt == 1 ? destination : _workload.Source(index)) + _workload.Length;
        int good = LibCryptoEvp.Initialize(context, 0, 0, null, nonce, _encrypt);
        if (_encrypt == 0)
            good &= LibCryptoEvp.Control(context, LibCryptoEvp.ControlSetTag, AeadSizes.Tag, tag);
        good &= LibCryptoEvp.Update(context, null, &written, aad, AeadWorkload.AadLength);
        good &= LibCryptoEvp.Update(context, destination, &written, _workload.Source(index), _workload.Length);
        good &= LibCryptoEvp.Final(context, destination + written, &written);
        if (_encrypt == 1)
            good &= LibCryptoEvp.Control(context, LibCryptoEvp.ControlGetTag, AeadSizes.Tag, tag);
        if (good != 1)
            _failures++;
    }

    private nint NewContext(byte[] key)
    {
        nint context = LibCryptoEvp.NewContext();
        fixed (byte* pointer = key)
        {
            if (LibCryptoEvp.Initialize(context, _cipher, 0, pointer, null, _encrypt) != 1)
                throw new InvalidOperationException("EVP_CipherInit_ex failed.");
        }
        return context;
    }
}
