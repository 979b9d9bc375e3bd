using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Devices;

/// <summary>One of our ways to a device: seals the same burst again and again, in place, as the peer does.</summary>
internal abstract unsafe class CryptodevSubject : IBenchmarkSubject
{
    private const int Page = 4096;

    private readonly CryptodevCase _case;
    private readonly byte[] _rawKey = RandomNumberGenerator.GetBytes(16);
    private readonly DpdkPacketMemory _pages = new();
    private readonly int _stride;
    private readonly nuint _bytes;
    private byte* _memory;

    protected CryptodevSubject(string name, CryptodevCase work)
    {
        Name = name;
        _case = work;
        Key = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, _rawKey);
        // As far apart as the buffers of a pool with a header and headroom: not by a power of two, whose addresses share cache sets.
        _stride = (work.Bytes + AeadSizes.Tag + 256 + 127) / 64 * 64;
        _bytes = (nuint)(CryptodevCase.Burst * (AeadOperation.SizeInBytes + _stride));
        _memory = _pages.Allocate(_bytes, Page);
        Operations = (AeadOperation*)_memory;
        for (int i = 0; i < CryptodevCase.Burst; i++)
            Fill(i);
    }

    public string Name { get; }

    public int OperationsPerRun => CryptodevCase.Burst;

    protected AeadOperation* Operations { get; private set; }

    /// <summary>The way retires it.</summary>
    protected AeadKeyHandle Key { get; }

    public bool Prepare() => false;

    public abstract void Run();

    public void Verify()
    {
        for (int i = 0; i < CryptodevCase.Burst; i++)
        {
            if (Operations[i].Status != AeadStatus.Success)
                throw new InvalidOperationException($"{Name}: operation {i} of {_case} ended with {Operations[i].Status}.");
        }
    }

    /// <summary>Runs a burst over known plaintext, and compares every byte with what the framework's AES-GCM makes of it.</summary>
    public void CompareWithFramework()
    {
        byte[] plaintext = RandomNumberGenerator.GetBytes(_case.Bytes);
        for (int i = 0; i < CryptodevCase.Burst; i++)
            plaintext.CopyTo(new Span<byte>(Operations[i].Source, _case.Bytes));
        Run();
        Verify();
        byte[] expected = new byte[_case.Bytes + AeadSizes.Tag];
        using var gcm = new AesGcm(_rawKey, AeadSizes.Tag);
        for (int i = 0; i < CryptodevCase.Burst; i++)
        {
            gcm.Encrypt(new ReadOnlySpan<byte>(Operations[i].Nonce, AeadSizes.Nonce), plaintext, expected.AsSpan(0, _case.Bytes),
                expected.AsSpan(_case.Bytes), new byte[CryptodevCase.AadLength]);
            if (!new ReadOnlySpan<byte>(Operations[i].Destination, expected.Length).SequenceEqual(expected))
                throw new InvalidOperationException($"{Name}: operation {i} of {_case} has another result than the framework's AES-GCM.");
        }
    }

    public virtual void Dispose()
    {
        _pages.Free(_memory, _bytes);
        _memory = null;
        Operations = null;
    }

    private void Fill(int index)
    {
        byte* buffer = _memory + (CryptodevCase.Burst * AeadOperation.SizeInBytes) + (_stride * index);
        NativeMemory.Clear(buffer, (nuint)_stride);
        AeadOperation* operation = Operations + index;
        *operation = default;
        operation->Source = operation->Destination = buffer;
        operation->Key = Key;
        operation->Length = (uint)_case.Bytes;
        operation->Direction = AeadDirection.Seal;
        operation->SetInlineAad(new byte[CryptodevCase.AadLength]);
        // The same in every run: what is measured protects nothing.
        operation->SetNonce(BitConverter.GetBytes(index + 1L).Concat(new byte[4]).ToArray());
    }
}
