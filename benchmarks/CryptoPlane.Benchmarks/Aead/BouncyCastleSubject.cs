using CryptoPlane.Aead;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Modes;
using Org.BouncyCastle.Crypto.Parameters;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>BouncyCastle's GCM, one cipher per key that is keyed once; it works on arrays.</summary>
internal sealed unsafe class BouncyCastleSubject : AeadSubject
{
    // It is slow enough for a few operations to fill a sample.
    private const int OperationsOfRun = 4;

    private readonly GcmBlockCipher[] _ciphers;
    private readonly byte[][] _nonces, _sources;
    private readonly byte[] _output;

    public BouncyCastleSubject(AeadWorkload workload)
        : base("BouncyCastle", workload, OperationsOfRun)
    {
        bool seal = workload.Case.Direction == AeadDirection.Seal;
        _nonces = [.. Enumerable.Range(0, workload.Operations).Select(Nonce)];
        _sources = [.. Enumerable.Range(0, workload.Operations).Select(Source)];
        _output = new byte[_sources.Max(source => source.Length) + AeadSizes.Tag];
        _ciphers = [.. workload.Keys.Select(key =>
        {
            var cipher = new GcmBlockCipher(new AesEngine());
            cipher.Init(seal, new AeadParameters(new KeyParameter(key), AeadSizes.Tag * 8, new byte[AeadSizes.Nonce]));
            return cipher;
        })];
    }

    public override void RunAll()
    {
        for (int i = 0; i < Workload.Operations; i++)
        {
            int written = One(i);
            _output.AsSpan(0, written).CopyTo(new Span<byte>(Workload.Destination(i), written));
        }
    }

    public override void Verify()
    {
        // BouncyCastle throws where a tag is wrong.
    }

    public override void Dispose()
    {
        // Nothing but managed memory.
    }

    protected override void Process(int first, int count)
    {
        for (int i = first; i < first + count; i++)
            One(i);
    }

    private int One(int index)
    {
        GcmBlockCipher cipher = _ciphers[Workload.KeyOf(index)];
        // Without a key the cipher keeps the one that it has.
        cipher.Init(Workload.Case.Direction == AeadDirection.Seal,
            new AeadParameters(null, AeadSizes.Tag * 8, _nonces[index], Workload.Aad));
        byte[] source = _sources[index];
        int written = cipher.ProcessBytes(source, 0, source.Length, _output, 0);
        return written + cipher.DoFinal(_output, written);
    }

    private static byte[] Nonce(int operation)
    {
        byte[] nonce = new byte[AeadSizes.Nonce];
        AeadWorkload.WriteNonce(nonce, operation);
        return nonce;
    }

    private byte[] Source(int operation)
    {
        int tag = Workload.Case.Direction == AeadDirection.Seal ? 0 : AeadSizes.Tag;
        return new ReadOnlySpan<byte>(Workload.Source(operation), Workload.Length(operation) + tag).ToArray();
    }
}
