using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CryptoPlane.Aead;

/// <summary>
/// Known answers that a backend must give before it is used: a library that was built wrongly, or a CPU that computes wrongly, must not
/// send a packet.
/// </summary>
/// <remarks>
/// One burst per algorithm mixes sizes, keys and lengths of AAD so that every kind of kernel runs. What it seals is hashed and compared with
/// a digest that OpenSSL's answers gave (a test computes it anew); then it is opened again, with one forgery among it.
/// </remarks>
internal static unsafe class AeadSelfTest
{
    /// <summary>Bytes of the messages: none, parts of a block, whole blocks, and both sides of where kernels change.</summary>
    internal static ReadOnlySpan<int> Lengths => [0, 1, 15, 16, 17, 31, 60, 64, 65, 112, 128, 129, 144, 300, 496, 512, 513, 640, 1408, 4100];

    /// <summary>Messages of each length: kernels work on several at once.</summary>
    internal const int Repeats = 5;

    /// <summary>Keys that the messages take in turn.</summary>
    internal const int Keys = 3;

    private const int Forged = 37;

    /// <summary>What is wrong with a synchronous backend, for people; null if all is well.</summary>
    public static string? Failure(IAeadBackend backend)
    {
        foreach (AeadAlgorithm algorithm in Enum.GetValues<AeadAlgorithm>())
        {
            if (algorithm != AeadAlgorithm.None && backend.Supports(algorithm) && Failure(backend, algorithm) is string failure)
                return $"self-test of '{backend.Name}' with {algorithm}: {failure}";
        }
        return null;
    }

    /// <summary>SHA-256 of all ciphertexts and tags, in order.</summary>
    internal static string ExpectedDigest(AeadAlgorithm algorithm) => algorithm switch
    {
        AeadAlgorithm.Aes128Gcm => "2127fbc8cb4b642c04da6a0a2f6d83f296c71a08d20d0f9a52beb3c01f6bd3ed",
        AeadAlgorithm.Aes256Gcm => "726a374cf5a5f173e63d704cea8353341bd0a3ff9f5fed5b91173c8117c8367f",
        _ => "f29347438779529ffca25a8fcaee88e36eaf3f3d21495890eb462d88e2e3d18f",
    };

    /// <summary>Bytes that look like nothing in particular and are the same everywhere.</summary>
    internal static void Fill(Span<byte> bytes, int seed)
    {
        uint state = ((uint)seed * 2654435761) + 1;
        foreach (ref byte b in bytes)
        {
            state = (state * 1664525) + 1013904223;
            b = (byte)(state >> 24);
        }
    }

    /// <summary>Key, nonce, AAD and plaintext of message number <paramref name="index"/>.</summary>
    internal static (byte[] Nonce, byte[] Aad, byte[] Plaintext) Message(int index)
    {
        byte[] nonce = new byte[AeadSizes.Nonce], aad = new byte[index * 7 % 41], plaintext = new byte[Lengths[index % Lengths.Length]];
        Fill(nonce, index);
        Fill(aad, index + 1000);
        Fill(plaintext, index + 2000);
        return (nonce, aad, plaintext);
    }

    internal static byte[] Key(AeadAlgorithm algorithm, int index)
    {
        byte[] key = new byte[AeadSizes.Key(algorithm)];
        Fill(key, 3000 + (index % Keys));
        return key;
    }

    private static string? Failure(IAeadBackend backend, AeadAlgorithm algorithm)
    {
        int count = Lengths.Length * Repeats;
        int stride = Lengths[^1] + AeadSizes.Tag + 64;
        var keys = new AeadKey[Keys];
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(count * (AeadOperation.SizeInBytes + stride)), 64);
        NativeMemory.Clear(memory, (nuint)(count * (AeadOperation.SizeInBytes + stride)));
        try
        {
            var operations = (AeadOperation*)memory;
            byte* buffers = memory + (count * AeadOperation.SizeInBytes);
            for (int i = 0; i < Keys; i++)
            {
                keys[i] = AeadKey.Create(algorithm, Key(algorithm, i));
                if (!backend.TryAttachKey(keys[i].Handle))
                    return "it refuses a key";
            }
            for (int i = 0; i < count; i++)
                Prepare(operations + i, buffers + (i * stride), keys[i % Keys], i);
            return Check(backend, algorithm, operations, count);
        }
        finally
        {
            foreach (AeadKey? key in keys)
            {
                if (key == null)
                    continue;
                backend.DetachKey(key.Handle);
                key.Dispose();
            }
            NativeMemory.AlignedFree(memory);
        }
    }

    /// <summary>In place; the AAD lies behind the tag where it does not fit into the descriptor.</summary>
    private static void Prepare(AeadOperation* operation, byte* buffer, AeadKey key, int index)
    {
        (byte[] nonce, byte[] aad, byte[] plaintext) = Message(index);
        plaintext.CopyTo(new Span<byte>(buffer, plaintext.Length));
        operation->Source = operation->Destination = buffer;
        operation->Key = key.Handle;
        operation->Length = (uint)plaintext.Length;
        operation->SetNonce(nonce);
        if (aad.Length <= AeadSizes.InlineAad)
        {
            operation->SetInlineAad(aad);
            return;
        }
        operation->AadLength = (ushort)aad.Length;
        operation->AadPointer = buffer + plaintext.Length + AeadSizes.Tag;
        aad.CopyTo(new Span<byte>(operation->AadPointer, aad.Length));
    }

    private static string? Check(IAeadBackend backend, AeadAlgorithm algorithm, AeadOperation* operations, int count)
    {
        backend.Submit(operations, count);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < count; i++)
        {
            if (operations[i].Status != AeadStatus.Success)
                return $"sealing {operations[i].Length} bytes ended with {operations[i].Status}";
            digest.AppendData(new ReadOnlySpan<byte>(operations[i].Destination, (int)operations[i].Length + AeadSizes.Tag));
        }
        if (Convert.ToHexStringLower(digest.GetHashAndReset()) != ExpectedDigest(algorithm))
            return "what it sealed is not what OpenSSL seals";

        operations[Forged].Source[0] ^= 1;
        for (int i = 0; i < count; i++)
        {
            operations[i].Direction = AeadDirection.Open;
            operations[i].Status = AeadStatus.Pending;
        }
        backend.Submit(operations, count);
        for (int i = 0; i < count; i++)
        {
            var opened = new ReadOnlySpan<byte>(operations[i].Destination, (int)operations[i].Length);
            if (i == Forged)
            {
                if (operations[i].Status != AeadStatus.AuthenticationFailed || opened.ContainsAnyExcept((byte)0))
                    return "it opened a forgery, or left something of it";
            }
            else if (operations[i].Status != AeadStatus.Success || !opened.SequenceEqual(Message(i).Plaintext))
            {
                return $"it did not open what it had sealed ({operations[i].Length} bytes)";
            }
        }
        return null;
    }
}
