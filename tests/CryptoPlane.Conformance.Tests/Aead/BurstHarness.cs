using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>
/// Runs bursts of messages on an engine and checks everything about the result: status, output, that the input was left alone, and
/// that not a byte around the buffers was touched.
/// </summary>
internal sealed unsafe class BurstHarness(AeadEngine engine) : IDisposable
{
    private const byte Guard = 0xA5;
    private const int GuardLength = 64;

    private readonly AeadBurst _burst = new(64);
    private NativeBuffer _arena = new(1 << 16);

    public void Run(params ReadOnlySpan<BurstItem> items)
    {
        var slots = new Slot[items.Length];
        int size = 0;
        for (int i = 0; i < items.Length; i++)
            slots[i] = Slot.Place(items[i], ref size);
        if (size > _arena.Length)
        {
            _arena.Dispose();
            _arena = new NativeBuffer(2 * size);
        }
        _arena.Span[..size].Fill(Guard);

        _burst.Clear();
        var keys = new AeadKeyHandle[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            keys[i] = AeadKey.CreateDetached(items[i].Message.Algorithm, items[i].Message.Key);
            Fill(items[i], slots[i], keys[i], (uint)i);
        }
        _burst.Run(engine);
        for (int i = 0; i < items.Length; i++)
            Check(items[i], slots[i], _burst[i]);
        foreach (AeadKeyHandle key in keys)
            engine.Retire(key);
    }

    public void Dispose()
    {
        _burst.Dispose();
        _arena.Dispose();
    }

    private void Fill(BurstItem item, Slot slot, AeadKeyHandle key, uint index)
    {
        TestMessage message = item.Message;
        Span<byte> source = _arena.Span.Slice(slot.Source, slot.SourceLength);
        if (item.Direction == AeadDirection.Seal)
        {
            message.Plaintext.CopyTo(source);
        }
        else
        {
            message.Ciphertext.CopyTo(source);
            message.Tag.CopyTo(source[message.Ciphertext.Length..]);
        }
        Assert.True(_burst.TryAdd(out AeadOperation* operation));
        // A descriptor holds what an earlier burst left there: garbage behind the AAD must not matter.
        new Span<byte>(operation, AeadOperation.SizeInBytes).Fill(0xEE);
        operation->Source = _arena.Pointer + slot.Source;
        operation->Destination = _arena.Pointer + slot.Destination;
        operation->Key = key;
        operation->Length = (uint)message.Ciphertext.Length;
        operation->Direction = item.Direction;
        operation->UserData = index;
        operation->SetNonce(message.Nonce);
        operation->AadLength = (ushort)message.Aad.Length;
        if (message.Aad.Length <= AeadSizes.InlineAad)
        {
            message.Aad.CopyTo(new Span<byte>(operation->InlineAad, AeadSizes.InlineAad));
        }
        else
        {
            message.Aad.CopyTo(_arena.Span[slot.Aad..]);
            operation->AadPointer = _arena.Pointer + slot.Aad;
        }
    }

    private void Check(BurstItem item, Slot slot, AeadOperation* operation)
    {
        TestMessage message = item.Message;
        string what = $"{message.Name}: {item.Direction}, {message.Ciphertext.Length} bytes, AAD {message.Aad.Length}, in place {item.InPlace}, offset {item.Offset}";
        bool opens = item.Direction == AeadDirection.Open;
        AeadStatus expected = opens && !message.Valid ? AeadStatus.AuthenticationFailed : AeadStatus.Success;
        Assert.True(expected == operation->Status, $"{what}: {operation->Status}");

        ReadOnlySpan<byte> arena = _arena.Span;
        ReadOnlySpan<byte> destination = arena.Slice(slot.Destination, slot.DestinationLength);
        int length = message.Ciphertext.Length;
        if (!opens)
        {
            AssertSame(message.Ciphertext, destination[..length], what + ": ciphertext");
            AssertSame(message.Tag, destination.Slice(length, AeadSizes.Tag), what + ": tag");
        }
        else
        {
            AssertSame(message.Valid ? message.Plaintext : new byte[length], destination[..length], what + ": plaintext");
            AssertSame(message.Tag, arena.Slice(slot.Source + length, AeadSizes.Tag), what + ": the source's tag");
        }
        if (!item.InPlace)
            AssertSame(opens ? message.Ciphertext : message.Plaintext, arena.Slice(slot.Source, length), what + ": the source");

        AssertGuard(arena, slot.Source, slot.SourceLength, what);
        AssertGuard(arena, slot.Destination, slot.DestinationLength, what);
    }

    private static void AssertSame(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what)
    {
        if (!expected.SequenceEqual(actual))
            Assert.Fail($"{what} differs at byte {expected.CommonPrefixLength(actual)}");
    }

    private static void AssertGuard(ReadOnlySpan<byte> arena, int start, int length, string what)
    {
        Assert.False(arena.Slice(start - GuardLength, GuardLength).ContainsAnyExcept(Guard), what + ": written before the buffer");
        Assert.False(arena.Slice(start + length, GuardLength).ContainsAnyExcept(Guard), what + ": written behind the buffer");
    }

    /// <summary>Where an item's buffers lie in the arena.</summary>
    private readonly record struct Slot(int Source, int SourceLength, int Destination, int DestinationLength, int Aad)
    {
        public static Slot Place(BurstItem item, ref int size)
        {
            int length = item.Message.Ciphertext.Length;
            bool seals = item.Direction == AeadDirection.Seal;
            int sourceLength = seals && !item.InPlace ? length : length + AeadSizes.Tag;
            int destinationLength = item.InPlace || seals ? length + AeadSizes.Tag : length;
            int source = Take(sourceLength, item.Offset, ref size);
            int destination = item.InPlace ? source : Take(destinationLength, item.Offset, ref size);
            int aad = Take(item.Message.Aad.Length, item.Offset, ref size);
            return new Slot(source, sourceLength, destination, destinationLength, aad);
        }

        private static int Take(int length, int offset, ref int size)
        {
            int start = ((size + 63) & ~63) + GuardLength + offset;
            size = start + length + GuardLength;
            return start;
        }
    }
}
