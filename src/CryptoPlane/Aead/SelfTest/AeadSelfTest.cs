using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CryptoPlane.Aead;

/// <summary>
/// Known answers that a backend must give before it is used: a library that was built wrongly, or a CPU that computes wrongly, must not
/// send a packet.
/// </summary>
/// <remarks>
/// One burst mixes algorithms, sizes, keys and lengths of AAD so that every kind of kernel runs. What it seals is hashed and compared with
/// digests that OpenSSL's answers gave (a test computes them anew). Then half of it is opened while the other half is sealed again, and the
/// other way round, with a forgery of every length among it. Last, one message at a time, come answers that standards print.
/// </remarks>
internal static unsafe class AeadSelfTest
{
    /// <summary>Bytes of the messages: none, parts of a block, whole blocks, and both sides of where kernels change.</summary>
    internal static ReadOnlySpan<int> Lengths => [0, 1, 15, 16, 17, 31, 60, 64, 65, 112, 128, 129, 144, 300, 496, 512, 513, 640, 1408, 4100];

    /// <summary>Messages of each length: kernels work on several at once.</summary>
    internal const int Repeats = 5;

    /// <summary>Messages per algorithm.</summary>
    internal static int Messages => Lengths.Length * Repeats;

    /// <summary>Keys that the messages of an algorithm take in turn.</summary>
    internal const int Keys = 3;

    /// <summary>What is wrong with a synchronous backend, for people; null if all is well.</summary>
    public static string? Failure(IAeadBackend backend)
    {
        AeadAlgorithm[] algorithms = [.. Enum.GetValues<AeadAlgorithm>().Where(each => each != AeadAlgorithm.None && backend.Supports(each))];
        string? failure = BurstFailure(backend, algorithms)
            ?? PublishedAnswer.All.Where(answer => backend.Supports(answer.Algorithm)).Select(answer => answer.Failure(backend)).FirstOrDefault(each => each != null);
        return failure == null ? null : $"self-test of '{backend.Name}': {failure}";
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

    private static string? BurstFailure(IAeadBackend backend, AeadAlgorithm[] algorithms)
    {
        int count = Messages * algorithms.Length;
        int stride = Lengths[^1] + AeadSizes.Tag + 64;
        var keys = new List<AeadKey>();
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(count * (AeadOperation.SizeInBytes + stride)), 64);
        NativeMemory.Clear(memory, (nuint)(count * (AeadOperation.SizeInBytes + stride)));
        try
        {
            var operations = (AeadOperation*)memory;
            byte* buffers = memory + (count * AeadOperation.SizeInBytes);
            for (int i = 0; i < Keys * algorithms.Length; i++)
            {
                keys.Add(AeadKey.Create(algorithms[i / Keys], Key(algorithms[i / Keys], i % Keys)));
                if (!backend.TryAttachKey(keys[i].Handle))
                    return $"it refuses a key of {algorithms[i / Keys]}";
            }
            for (int i = 0; i < count; i++)
            {
                int message = i / algorithms.Length;
                Prepare(operations + i, buffers + (i * stride), keys[(i % algorithms.Length * Keys) + (message % Keys)], message);
            }
            return SealFailure(backend, algorithms, operations)
                ?? OpenFailure(backend, algorithms.Length, operations, parity: 1)
                ?? OpenFailure(backend, algorithms.Length, operations, parity: 0);
        }
        finally
        {
            foreach (AeadKey key in keys)
            {
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

    /// <summary>Seals every message of every algorithm in one burst, and compares the digests.</summary>
    private static string? SealFailure(IAeadBackend backend, AeadAlgorithm[] algorithms, AeadOperation* operations)
    {
        int count = Messages * algorithms.Length;
        backend.Submit(operations, count);
        for (int a = 0; a < algorithms.Length; a++)
        {
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int i = a; i < count; i += algorithms.Length)
            {
                if (operations[i].Status != AeadStatus.Success)
                    return $"sealing {operations[i].Length} bytes with {algorithms[a]} ended with {operations[i].Status}";
                digest.AppendData(new ReadOnlySpan<byte>(operations[i].Destination, (int)operations[i].Length + AeadSizes.Tag));
            }
            if (Convert.ToHexStringLower(digest.GetHashAndReset()) != ExpectedDigest(algorithms[a]))
                return $"what it sealed with {algorithms[a]} is not what OpenSSL seals";
        }
        return null;
    }

    /// <summary>
    /// Opens the sealed messages of odd or of even number while the others are sealed again, so that a burst mixes directions. One message
    /// of each length is forged.
    /// </summary>
    private static string? OpenFailure(IAeadBackend backend, int algorithms, AeadOperation* operations, int parity)
    {
        int count = Messages * algorithms;
        for (int i = 0; i < count; i++)
        {
            int message = i / algorithms;
            bool opens = message % 2 == parity;
            operations[i].Direction = opens ? AeadDirection.Open : AeadDirection.Seal;
            operations[i].Status = AeadStatus.Pending;
            if (!opens)
                Message(message).Plaintext.CopyTo(new Span<byte>(operations[i].Source, (int)operations[i].Length));
            else if (IsForged(message))
                operations[i].Source[0] ^= 1;
        }
        backend.Submit(operations, count);
        for (int i = 0; i < count; i++)
        {
            int message = i / algorithms;
            bool opens = message % 2 == parity;
            string what = $"{operations[i].Length} bytes with {operations[i].Key.Algorithm}";
            var text = new ReadOnlySpan<byte>(operations[i].Destination, (int)operations[i].Length);
            if (opens && IsForged(message))
            {
                if (operations[i].Status != AeadStatus.AuthenticationFailed || text.ContainsAnyExcept((byte)0))
                    return $"it opened a forgery, or left something of it ({what})";
            }
            else if (operations[i].Status != AeadStatus.Success || (opens && !text.SequenceEqual(Message(message).Plaintext)))
            {
                return $"it did not {(opens ? "open what it had sealed" : "seal")} beside the other direction ({what})";
            }
        }
        return null;
    }

    private static bool IsForged(int message) => message / Lengths.Length == 2;
}
