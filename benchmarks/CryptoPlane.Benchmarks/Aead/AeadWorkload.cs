using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>
/// What every AEAD subject of one case works on: the same 32 buffers with the same content, so that all of them meet the same caches,
/// and 1 or 32 keys.
/// </summary>
internal sealed unsafe class AeadWorkload : IDisposable
{
    /// <summary>Buffers, and operations of a burst.</summary>
    public const int Operations = 32;

    /// <summary>AAD of one operation: as much as ESP with extended sequence numbers has.</summary>
    public const int AadLength = 12;

    private readonly byte* _sources, _destinations;
    private readonly int _stride;

    public AeadWorkload(AeadAlgorithm algorithm, AeadDirection direction, int length, int keyCount)
    {
        Algorithm = algorithm;
        Direction = direction;
        Length = length;
        var random = new Random(length * 31 + keyCount);
        Keys = [.. Enumerable.Range(0, keyCount).Select(_ => RandomBytes(random, AeadSizes.Key(algorithm)))];
        Aad = RandomBytes(random, AadLength);
        _stride = (length + AeadSizes.Tag + 127) / 64 * 64;
        _sources = (byte*)NativeMemory.AlignedAlloc((nuint)(_stride * Operations), 64);
        _destinations = (byte*)NativeMemory.AlignedAlloc((nuint)(_stride * Operations), 64);
        random.NextBytes(new Span<byte>(_sources, _stride * Operations));
        NativeMemory.Clear(_destinations, (nuint)(_stride * Operations));
        if (direction == AeadDirection.Open)
            SealSources();
    }

    public AeadAlgorithm Algorithm { get; }

    public AeadDirection Direction { get; }

    public int Length { get; }

    public byte[][] Keys { get; }

    public byte[] Aad { get; }

    /// <summary>The plaintext (seal), or ciphertext ‖ tag (open), of operation <paramref name="index"/>.</summary>
    public byte* Source(int index) => _sources + index * _stride;

    public byte* Destination(int index) => _destinations + index * _stride;

    public byte[] Key(int index) => Keys[index % Keys.Length];

    /// <summary>The nonce of an operation: to open it must be the one that sealed, to seal each use takes another.</summary>
    public static void WriteNonce(Span<byte> nonce, ulong number)
    {
        nonce.Clear();
        MemoryMarshal.Write(nonce[4..], in number);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_sources);
        NativeMemory.AlignedFree(_destinations);
    }

    /// <summary>Turns the sources into ciphertext ‖ tag, each under its key and the nonce of its index.</summary>
    private void SealSources()
    {
        using AeadEngine engine = new(AeadBackends.CreatePortable());
        using AeadBurst burst = new(Operations);
        AeadKey[] keys = [.. Keys.Select(key => AeadKey.Create(Algorithm, key))];
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        for (int i = 0; i < Operations; i++)
        {
            burst.TryAdd(out AeadOperation* operation);
            WriteNonce(nonce, (ulong)i);
            Fill(operation, i, keys[i % keys.Length].Handle, AeadDirection.Seal, nonce);
            operation->Destination = operation->Source;
        }
        burst.Run(engine);
        foreach (AeadKey key in keys)
            key.Dispose();
    }

    /// <summary>Fills the descriptor of operation <paramref name="index"/>.</summary>
    public void Fill(AeadOperation* operation, int index, AeadKeyHandle key, AeadDirection direction, ReadOnlySpan<byte> nonce)
    {
        *operation = default;
        operation->Source = Source(index);
        operation->Destination = Destination(index);
        operation->Key = key;
        operation->Length = (uint)Length;
        operation->Direction = direction;
        operation->SetInlineAad(Aad);
        operation->SetNonce(nonce);
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
