using System.Runtime.InteropServices;
using CryptoPlane.Aead.Native;

namespace CryptoPlane.Aead;

/// <summary>A message whose sealed form is printed in a standard, so that the self-test does not stand on our own reading alone.</summary>
/// <param name="Source">Where it is printed.</param>
/// <param name="Algorithm">The AEAD.</param>
/// <param name="Key">The key, in hexadecimal as all that follows.</param>
/// <param name="Nonce">12 bytes.</param>
/// <param name="Aad">The associated data.</param>
/// <param name="Plaintext">The message.</param>
/// <param name="Sealed">Ciphertext ‖ tag.</param>
internal sealed unsafe record PublishedAnswer(
    string Source, AeadAlgorithm Algorithm, string Key, string Nonce, string Aad, string Plaintext, string Sealed)
{
    private const string GcmKey = "feffe9928665731c6d6a8f9467308308";
    private const string GcmNonce = "cafebabefacedbaddecaf888";
    private const string GcmAad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

    private const string GcmPlaintext =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";

    /// <summary>The example of RFC 8439.</summary>
    public static PublishedAnswer ChaCha20Poly1305 { get; } = new(
        "RFC 8439 §2.8.2",
        AeadAlgorithm.ChaCha20Poly1305,
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        "070000004041424344454647",
        "50515253c0c1c2c3c4c5c6c7",
        "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f7520"
            + "6f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b"
            + "3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecb"
            + "d0600691");

    /// <summary>At least two of AES-128-GCM and AES-256-GCM (McGrew and Viega, "The Galois/Counter Mode of Operation", Appendix B).</summary>
    public static PublishedAnswer[] All { get; } =
    [
        new("GCM test case 1", AeadAlgorithm.Aes128Gcm, new string('0', 32), new string('0', 24), "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
        new("GCM test case 4", AeadAlgorithm.Aes128Gcm, GcmKey, GcmNonce, GcmAad, GcmPlaintext,
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                + "5bc94fbc3221a5db94fae95ae7121a47"),
        new("GCM test case 13", AeadAlgorithm.Aes256Gcm, new string('0', 64), new string('0', 24), "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        new("GCM test case 16", AeadAlgorithm.Aes256Gcm, GcmKey + GcmKey, GcmNonce, GcmAad, GcmPlaintext,
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b"),
        ChaCha20Poly1305,
    ];

    /// <summary>Whether a tier knows the algorithm at all; whether it is right is for the self-test to say.</summary>
    public bool IsCarriedOutBy(NativeAeadTier tier) => Seal(new NativeBackend(tier), out _) != AeadStatus.InvalidOperation;

    /// <summary>What is wrong with a backend's answer, for people; null if all is well.</summary>
    public string? Failure(IAeadBackend backend)
    {
        AeadStatus status = Seal(backend, out byte[] answer);
        return status != AeadStatus.Success ? $"{Source} ended with {status}"
            : !answer.AsSpan().SequenceEqual(Convert.FromHexString(Sealed)) ? $"the answer is not that of {Source}"
            : null;
    }

    /// <summary>Seals the message as a burst of one, out of place, which no other part of the self-test is.</summary>
    private AeadStatus Seal(IAeadBackend backend, out byte[] answer)
    {
        byte[] aad = Convert.FromHexString(Aad), plaintext = Convert.FromHexString(Plaintext);
        answer = new byte[plaintext.Length + AeadSizes.Tag];
        using AeadKey key = AeadKey.Create(Algorithm, Convert.FromHexString(Key));
        if (!backend.TryAttachKey(key.Handle))
            return AeadStatus.InvalidOperation;
        // Sound: the block holds the descriptor, AAD, plaintext and answer side by side, and outlives the synchronous call.
        int size = AeadOperation.SizeInBytes + aad.Length + plaintext.Length + answer.Length;
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, AeadOperation.SizeInBytes);
        try
        {
            NativeMemory.Clear(memory, (nuint)size);
            var operation = (AeadOperation*)memory;
            byte* aadAt = memory + AeadOperation.SizeInBytes;
            operation->Source = aadAt + aad.Length;
            operation->Destination = operation->Source + plaintext.Length;
            operation->Key = key.Handle;
            operation->Length = (uint)plaintext.Length;
            operation->SetNonce(Convert.FromHexString(Nonce));
            aad.CopyTo(new Span<byte>(aadAt, aad.Length));
            plaintext.CopyTo(new Span<byte>(operation->Source, plaintext.Length));
            operation->AadLength = (ushort)aad.Length;
            if (aad.Length <= AeadSizes.InlineAad)
                operation->SetInlineAad(aad);
            else
                operation->AadPointer = aadAt;
            backend.Submit(operation, 1);
            new ReadOnlySpan<byte>(operation->Destination, answer.Length).CopyTo(answer);
            return operation->Status;
        }
        finally
        {
            backend.DetachKey(key.Handle);
            NativeMemory.AlignedFree(memory);
        }
    }
}
