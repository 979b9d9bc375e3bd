using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>
/// What every subject of one case works on: the same buffers with the same content in the same order, so that all of them meet the same
/// caches. With many keys every operation has another key and another place in memory, as the packets of many tunnels have.
/// </summary>
internal sealed unsafe class AeadWorkload : IDisposable
{
    /// <summary>AAD of one operation: as much as ESP with extended sequence numbers has.</summary>
    public const int AadLength = 12;

    /// <summary>Operations of a mix of sizes: whole bursts, and whole repetitions of IMIX.</summary>
    public const int MixOperations = 384;

    /// <summary>Operations of a case with one size and few keys: a burst, and few enough for the second-level cache.</summary>
    public const int FewOperations = 32;

    /// <summary>Most operations that a subject does in one run.</summary>
    public const int MaxSlice = 1024;

    // Buffers of a pool, as of a network card's: past this many keys packets take turns in them.
    private const int MaxBuffers = 16384;
    private const int FewKeys = 64;

    // Sources and destinations that lie a multiple of a page apart would make loads wait for stores to what looks like their address.
    private const nuint Page = 4096;

    private readonly byte* _memory;
    private readonly byte* _destinations;
    private readonly nuint _bytes;
    private readonly int _stride;
    private readonly int[] _lengths, _buffers, _keyOrder;

    public AeadWorkload(AeadCase work)
    {
        Case = work;
        var random = new Random(work.Mix.MeanBytes * 31 + work.Keys);
        Operations = OperationsOf(work);
        Slice = Math.Min(Operations, MaxSlice);
        _lengths = work.Mix.Sizes(Operations);
        int buffers = Math.Min(Operations, MaxBuffers);
        if (work.Direction == AeadDirection.Open && buffers < Operations)
            throw new ArgumentException("A buffer that is to be opened holds one ciphertext.", nameof(work));
        _buffers = [.. Enumerable.Range(0, buffers)];
        _keyOrder = [.. Enumerable.Range(0, work.Keys)];
        if (work.Keys > FewKeys)
        {
            random.Shuffle(_buffers);
            random.Shuffle(_keyOrder);
        }
        Keys = [.. Enumerable.Range(0, work.Keys).Select(_ => RandomBytes(random, AeadSizes.Key(work.Algorithm)))];
        Aad = RandomBytes(random, AadLength);

        _stride = (_lengths.Max() + AeadSizes.Tag + 127) / 64 * 64;
        _bytes = (nuint)_stride * (nuint)buffers;
        nuint distance = ((_bytes + Page - 1) / Page * Page) + (Page / 2);
        _memory = (byte*)NativeMemory.AlignedAlloc(distance + _bytes, Page);
        _destinations = _memory + distance;
        for (int i = 0; i < buffers; i++)
            random.NextBytes(new Span<byte>(_memory + ((nuint)i * (nuint)_stride), _stride));
        NativeMemory.Clear(_destinations, _bytes);
        if (work.Direction == AeadDirection.Open)
            SealSources();
    }

    public AeadCase Case { get; }

    /// <summary>Different operations, a multiple of the burst.</summary>
    public int Operations { get; }

    /// <summary>Operations of a subject's run; the next run goes on behind them.</summary>
    public int Slice { get; }

    public byte[][] Keys { get; }

    public byte[] Aad { get; }

    public int Length(int operation) => _lengths[operation];

    public int KeyOf(int operation) => _keyOrder[operation % _keyOrder.Length];

    /// <summary>The plaintext (seal), or ciphertext ‖ tag (open), of an operation.</summary>
    public byte* Source(int operation) => _memory + Offset(operation);

    public byte* Destination(int operation) => _destinations + Offset(operation);

    /// <summary>The nonce of an operation. It is the same in every run: what is measured protects nothing.</summary>
    public static void WriteNonce(Span<byte> nonce, int operation)
    {
        nonce.Clear();
        MemoryMarshal.Write(nonce[4..], operation + 1L);
    }

    /// <summary>Descriptors of all operations, the caller's to free with <see cref="NativeMemory.AlignedFree"/>.</summary>
    /// <param name="keys">Per key what stands for it in a descriptor: the address of whatever the subject made of it.</param>
    public AeadOperation* CreateOperations(nint[] keys)
    {
        var operations = (AeadOperation*)NativeMemory.AlignedAlloc((nuint)Operations * AeadOperation.SizeInBytes, AeadOperation.SizeInBytes);
        for (int i = 0; i < Operations; i++)
            Fill(operations + i, i, keys[KeyOf(i)], Case.Direction);
        return operations;
    }

    /// <summary>A digest of all destinations, which are zeroed then.</summary>
    public string TakeDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (nuint offset = 0; offset < _bytes; offset += (nuint)_stride)
            hash.AppendData(new ReadOnlySpan<byte>(_destinations + offset, _stride));
        NativeMemory.Clear(_destinations, _bytes);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private static int OperationsOf(AeadCase work)
    {
        if (work.Mix.Name != null)
            return MixOperations;
        if (work.Keys <= FewKeys)
            return Math.Max(FewOperations, work.Burst);
        return (work.Keys + MaxSlice - 1) / MaxSlice * MaxSlice;
    }

    private nuint Offset(int operation) => (nuint)_buffers[operation % _buffers.Length] * (nuint)_stride;

    private void Fill(AeadOperation* operation, int index, nint key, AeadDirection direction)
    {
        *operation = default;
        operation->Source = Source(index);
        operation->Destination = Destination(index);
        // Sound: a handle is one pointer, and whoever runs the operation knows what it points to.
        *(nint*)&operation->Key = key;
        operation->Length = (uint)Length(index);
        operation->Direction = direction;
        operation->SetInlineAad(Aad);
        WriteNonce(new Span<byte>(operation->Nonce, AeadSizes.Nonce), index);
    }

    /// <summary>Turns the sources into ciphertext ‖ tag, each under its key and nonce.</summary>
    private void SealSources()
    {
        using AeadEngine engine = new(AeadBackends.CreatePortable());
        AeadKey[] keys = [.. Keys.Select(key => AeadKey.Create(Case.Algorithm, key))];
        AeadOperation* operations = CreateOperations([.. keys.Select(key => { AeadKeyHandle handle = key.Handle; return *(nint*)&handle; })]);
        for (int i = 0; i < Operations; i++)
        {
            operations[i].Direction = AeadDirection.Seal;
            operations[i].Destination = operations[i].Source;
        }
        engine.Run(operations, Operations);
        NativeMemory.AlignedFree(operations);
        foreach (AeadKey key in keys)
            key.Dispose();
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
