using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Crypto;

/// <summary>Operations out of place, each with a key of its own, sealed by the framework so that they can be opened, or to be sealed.</summary>
internal sealed unsafe class PacketBatch : IDisposable
{
    private readonly NativeBuffer _descriptors, _sources, _destinations, _aads;
    private readonly byte[][] _expected;
    private readonly int _stride;

    public PacketBatch(int count, int length, AeadDirection direction, AeadAlgorithm algorithm = AeadAlgorithm.Aes128Gcm, bool sameKey = false,
        int aadLength = 8)
    {
        Count = count;
        _stride = length + AeadSizes.Tag;
        _descriptors = new NativeBuffer(count * AeadOperation.SizeInBytes);
        _sources = new NativeBuffer(count * _stride);
        _destinations = new NativeBuffer(count * _stride);
        _aads = new NativeBuffer(count * aadLength);
        _expected = new byte[count][];
        byte[] key = RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm));
        AeadKeyHandle handle = default;
        for (int i = 0; i < count; i++)
        {
            if (i == 0 || !sameKey)
            {
                key = RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm));
                handle = AeadKey.CreateDetached(algorithm, key);
            }
            byte[] nonce = RandomNumberGenerator.GetBytes(AeadSizes.Nonce), aad = RandomNumberGenerator.GetBytes(aadLength);
            byte[] plaintext = RandomNumberGenerator.GetBytes(length), wire = new byte[_stride];
            using (var gcm = new AesGcm(key, AeadSizes.Tag))
                gcm.Encrypt(nonce, plaintext, wire.AsSpan(0, length), wire.AsSpan(length), aad);
            _expected[i] = direction == AeadDirection.Seal ? wire : plaintext;
            (direction == AeadDirection.Seal ? plaintext : wire).CopyTo(_sources.Span[(i * _stride)..]);
            AeadOperation* operation = this[i];
            *operation = default;
            operation->Source = _sources.Pointer + i * _stride;
            operation->Destination = _destinations.Pointer + i * _stride;
            operation->Key = handle;
            operation->Length = (uint)length;
            operation->Direction = direction;
            operation->UserData = (uint)i;
            operation->SetNonce(nonce);
            if (aadLength <= AeadSizes.InlineAad)
            {
                operation->SetInlineAad(aad);
                continue;
            }
            aad.CopyTo(_aads.Span[(i * aadLength)..]);
            operation->AadPointer = _aads.Pointer + (i * aadLength);
            operation->AadLength = (ushort)aadLength;
        }
    }

    public int Count { get; }

    public AeadOperation* Operations => (AeadOperation*)_descriptors.Pointer;

    public AeadOperation* this[int index] => Operations + index;

    /// <summary>Makes one operation's input wrong.</summary>
    public void Forge(int index) => _sources.Span[index * _stride] ^= 1;

    /// <summary>Every operation succeeded with the framework's result.</summary>
    public void AssertDone()
    {
        for (int i = 0; i < Count; i++)
            AssertDone(i);
    }

    public void AssertDone(int index)
    {
        Assert.Equal(AeadStatus.Success, this[index]->Status);
        Assert.True(_destinations.Span.Slice(index * _stride, _expected[index].Length).SequenceEqual(_expected[index]), $"operation {index} has another result");
    }

    /// <summary>One operation was found forged, and left nothing.</summary>
    public void AssertRefused(int index) => AssertNothingLeft(index, AeadStatus.AuthenticationFailed);

    /// <summary>The device failed at an operation, and left nothing.</summary>
    public void AssertFailed(int index) => AssertNothingLeft(index, AeadStatus.BackendError);

    private void AssertNothingLeft(int index, AeadStatus status)
    {
        Assert.Equal(status, this[index]->Status);
        Assert.False(_destinations.Span.Slice(index * _stride, _expected[index].Length).ContainsAnyExcept((byte)0), "plaintext was left");
    }

    /// <summary>Gives every key back.</summary>
    public void Retire(AeadEngine engine)
    {
        for (int i = 0; i < Count; i++)
        {
            if (i == 0 || this[i]->Key != this[i - 1]->Key)
                engine.Retire(this[i]->Key);
        }
    }

    public void Dispose()
    {
        _descriptors.Dispose();
        _sources.Dispose();
        _destinations.Dispose();
        _aads.Dispose();
    }
}
