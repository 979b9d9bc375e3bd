using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>Operations with random keys, nonces, AAD and data, in place, for kernels that are run without an engine.</summary>
internal sealed unsafe class ManagedBurst : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly List<NativeBuffer> _texts = [];
    private readonly NativeBuffer _descriptors;

    public ManagedBurst(int capacity)
    {
        _descriptors = new NativeBuffer(capacity * AeadOperation.SizeInBytes);
        _owned.Add(_descriptors);
    }

    public int Count => _texts.Count;

    public AeadOperation* Operations => (AeadOperation*)_descriptors.Pointer;

    public void Add(AeadAlgorithm algorithm, AeadDirection direction, int length, int aadLength)
    {
        Assert.True((Count + 1) * AeadOperation.SizeInBytes <= _descriptors.Length, "the burst is full");
        AeadKey key = AeadKey.Create(algorithm, RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm)));
        var text = new NativeBuffer(length + AeadSizes.Tag);
        var aad = new NativeBuffer(Math.Max(aadLength, 1));
        _owned.AddRange([key, text, aad]);
        RandomNumberGenerator.Fill(text.Span);
        RandomNumberGenerator.Fill(aad.Span);

        AeadOperation* operation = Operations + Count;
        *operation = default;
        operation->Source = operation->Destination = text.Pointer;
        operation->Key = key.Handle;
        operation->Length = (uint)length;
        operation->Direction = direction;
        operation->Status = AeadStatus.Pending;
        operation->SetNonce(RandomNumberGenerator.GetBytes(AeadSizes.Nonce));
        if (aadLength <= AeadSizes.InlineAad)
        {
            operation->SetInlineAad(aad.Span[..aadLength]);
        }
        else
        {
            operation->AadLength = (ushort)aadLength;
            operation->AadPointer = aad.Pointer;
        }
        _texts.Add(text);
    }

    /// <summary>Data and tag of every operation.</summary>
    public byte[][] Texts
    {
        get => [.. _texts.Select(text => text.Span.ToArray())];
        set
        {
            for (int i = 0; i < Count; i++)
                value[i].CopyTo(_texts[i].Span);
        }
    }

    public AeadDirection Direction
    {
        set
        {
            for (int i = 0; i < Count; i++)
                Operations[i].Direction = value;
        }
    }

    public AeadStatus[] Statuses
    {
        get
        {
            var statuses = new AeadStatus[Count];
            for (int i = 0; i < Count; i++)
                statuses[i] = Operations[i].Status;
            return statuses;
        }
    }

    public void Dispose() => _owned.ForEach(item => item.Dispose());
}
