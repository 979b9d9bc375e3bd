using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Dispatch;

/// <summary>Messages to be sealed with one key, and what the framework makes of them.</summary>
internal sealed unsafe class DispatchTraffic : IDisposable
{
    private readonly NativeBuffer _descriptors, _sources, _destinations;
    private readonly byte[] _plaintext;
    private readonly byte[][] _expected;
    private readonly AeadKey _key;
    private readonly int _count, _length, _stride;
    private readonly bool _inPlace;

    public DispatchTraffic(int count, int length, bool inPlace = false)
    {
        (_count, _length, _stride, _inPlace) = (count, length, length + AeadSizes.Tag, inPlace);
        _descriptors = new NativeBuffer(count * AeadOperation.SizeInBytes);
        _sources = new NativeBuffer(count * _stride);
        _destinations = new NativeBuffer(count * _stride);
        _expected = new byte[count][];
        byte[] key = RandomNumberGenerator.GetBytes(16);
        _key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, key);
        _plaintext = RandomNumberGenerator.GetBytes(length);
        using var gcm = new AesGcm(key, AeadSizes.Tag);
        byte[] nonce = new byte[AeadSizes.Nonce];
        for (int i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(nonce, i);
            _expected[i] = new byte[_stride];
            gcm.Encrypt(nonce, _plaintext, _expected[i].AsSpan(0, length), _expected[i].AsSpan(length));
            AeadOperation* operation = Operations + i;
            *operation = default;
            operation->Source = _sources.Pointer + i * _stride;
            operation->Destination = inPlace ? operation->Source : _destinations.Pointer + i * _stride;
            operation->Key = _key.Handle;
            operation->Length = (uint)length;
            operation->UserData = (uint)i;
            operation->SetNonce(nonce);
            _plaintext.CopyTo(_sources.Span[(i * _stride)..]);
        }
    }

    public AeadOperation* Operations => (AeadOperation*)_descriptors.Pointer;

    public void Run(AeadEngine engine, int times = 1)
    {
        for (int i = 0; i < times; i++)
            engine.Run(Operations, _count);
    }

    /// <summary>Polls until all of these have come back, in their order.</summary>
    public void PollAll(AeadEngine engine, int count)
    {
        AeadOperation* completed;
        for (int next = 0, polls = 0; next < count; polls++)
        {
            Assert.True(polls < 10_000_000, "nothing comes back");
            if (engine.Poll(&completed, 1) == 0)
                continue;
            Assert.Equal((nint)(Operations + next), (nint)completed);
            next++;
        }
    }

    public void AssertDone()
    {
        Span<byte> output = _inPlace ? _sources.Span : _destinations.Span;
        for (int i = 0; i < _count; i++)
        {
            Assert.Equal(AeadStatus.Success, Operations[i].Status);
            Assert.True(output.Slice(i * _stride, _stride).SequenceEqual(_expected[i]), $"operation {i} has another result");
        }
        output.Clear();
    }

    /// <summary>Every operation failed, and neither plaintext nor ciphertext is left.</summary>
    public void AssertErased()
    {
        for (int i = 0; i < _count; i++)
            Assert.Equal(AeadStatus.BackendError, Operations[i].Status);
        Assert.False(_sources.Span.ContainsAnyExcept((byte)0));
    }

    public void Dispose()
    {
        // The key is attached to a simulated device, which keeps nothing with it.
        _key.Handle.Block->Backend = AeadBackendKind.None;
        _key.Dispose();
        _descriptors.Dispose();
        _sources.Dispose();
        _destinations.Dispose();
    }
}
