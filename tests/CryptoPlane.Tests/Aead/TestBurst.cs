using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead;

/// <summary>Operations that lie side by side, each with a key, a nonce and a message of its own, ready to be sealed in place.</summary>
internal sealed unsafe class TestBurst : IDisposable
{
    private const int Slot = 256;

    private readonly NativeBuffer _descriptors;
    private readonly NativeBuffer _data;
    private readonly AeadAlgorithm _algorithm;
    private readonly byte[][] _keys;
    private readonly byte[][] _plaintexts;

    /// <param name="count">How many.</param>
    /// <param name="algorithm">Of all of them.</param>
    /// <param name="arena">Where the keys lie; null for the heap.</param>
    public TestBurst(int count, AeadAlgorithm algorithm, AeadKeyArena? arena = null)
    {
        Count = count;
        _algorithm = algorithm;
        _descriptors = new NativeBuffer(count * AeadOperation.SizeInBytes);
        _data = new NativeBuffer(count * Slot);
        _keys = new byte[count][];
        _plaintexts = new byte[count][];
        for (int i = 0; i < count; i++)
        {
            _keys[i] = RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm));
            _plaintexts[i] = RandomNumberGenerator.GetBytes(1 + (i * 37 % 200));
            _plaintexts[i].CopyTo(_data.Span[(i * Slot)..]);
            AeadOperation* operation = this[i];
            operation->Source = operation->Destination = _data.Pointer + i * Slot;
            operation->Key = arena != null ? AeadKey.CreateDetached(algorithm, _keys[i], arena) : AeadKey.CreateDetached(algorithm, _keys[i]);
            operation->Length = (uint)_plaintexts[i].Length;
            operation->Direction = AeadDirection.Seal;
            operation->UserData = (uint)i;
        }
    }

    public int Count { get; }

    public AeadOperation* Operations => (AeadOperation*)_descriptors.Pointer;

    public AeadOperation* this[int index] => Operations + index;

    public AeadStatus[] Statuses
    {
        get
        {
            var statuses = new AeadStatus[Count];
            for (int i = 0; i < Count; i++)
                statuses[i] = this[i]->Status;
            return statuses;
        }
    }

    /// <summary>Gives every key back.</summary>
    public void Retire(AeadEngine engine)
    {
        for (int i = 0; i < Count; i++)
            engine.Retire(this[i]->Key);
    }

    /// <summary>Checks every result against the framework.</summary>
    public void AssertSealed()
    {
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(AeadStatus.Success, this[i]->Status);
            byte[] ciphertext = new byte[_plaintexts[i].Length], tag = new byte[16];
            if (_algorithm == AeadAlgorithm.ChaCha20Poly1305)
            {
                using var chacha = new ChaCha20Poly1305(_keys[i]);
                chacha.Encrypt(new byte[12], _plaintexts[i], ciphertext, tag);
            }
            else
            {
                using var aes = new AesGcm(_keys[i], 16);
                aes.Encrypt(new byte[12], _plaintexts[i], ciphertext, tag);
            }
            Assert.Equal([.. ciphertext, .. tag], _data.Span.Slice(i * Slot, ciphertext.Length + 16).ToArray());
        }
    }

    public void Dispose()
    {
        _descriptors.Dispose();
        _data.Dispose();
    }
}
