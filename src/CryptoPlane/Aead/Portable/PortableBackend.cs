using System.Runtime.InteropServices;
using CryptoPlane.Interop;

namespace CryptoPlane.Aead.Portable;

/// <summary>
/// Every algorithm through libcrypto's EVP, with two contexts per key that are keyed once: for CPUs without AES-NI, and for
/// ChaCha20-Poly1305.
/// </summary>
/// <remarks>
/// The framework's own classes are not used here: on a forged tag they throw and allocate, at a price that the attacker sets.
/// </remarks>
internal sealed unsafe class PortableBackend : IAeadBackend
{
    private readonly CompletionRing _completed = new(AeadEngine.MaxInFlight);

    public string Name => "portable";

    public string Description => "portable: libcrypto EVP, one operation at a time";

    public int InFlight => _completed.Count;

    public bool Supports(AeadAlgorithm algorithm) =>
        algorithm is AeadAlgorithm.Aes128Gcm or AeadAlgorithm.Aes256Gcm or AeadAlgorithm.ChaCha20Poly1305;

    public bool TryAttachKey(AeadKeyHandle key)
    {
        AeadKeyBlock* block = key.Block;
        nint cipher = block->Algorithm switch
        {
            AeadAlgorithm.Aes128Gcm => LibCrypto.EVP_aes_128_gcm(),
            AeadAlgorithm.Aes256Gcm => LibCrypto.EVP_aes_256_gcm(),
            _ => LibCrypto.EVP_chacha20_poly1305(),
        };
        block->BackendSeal = NewContext(cipher, block->RawKey, encrypt: 1);
        block->BackendOpen = NewContext(cipher, block->RawKey, encrypt: 0);
        if (block->BackendSeal != 0 && block->BackendOpen != 0)
            return true;
        FreeContexts(block);
        return false;
    }

    public void DetachKey(AeadKeyHandle key) => FreeContexts(key.Block);

    /// <summary>Frees what <see cref="TryAttachKey"/> made; libcrypto zeroes the key schedules.</summary>
    internal static void FreeContexts(AeadKeyBlock* block)
    {
        LibCrypto.EVP_CIPHER_CTX_free(block->BackendSeal);
        LibCrypto.EVP_CIPHER_CTX_free(block->BackendOpen);
        block->BackendSeal = 0;
        block->BackendOpen = 0;
    }

    public int Submit(AeadOperation* operations, int count)
    {
        int taken = Math.Min(count, _completed.Free);
        for (int i = 0; i < taken; i++)
        {
            AeadOperation* operation = operations + i;
            operation->Status = operation->Direction == AeadDirection.Seal ? Seal(operation) : Open(operation);
            _completed.Push(operation);
        }
        return taken;
    }

    public int Poll(AeadOperation** completed, int capacity) => _completed.Pop(completed, capacity);

    public void Dispose() => _completed.Dispose();

    private static AeadStatus Seal(AeadOperation* op)
    {
        nint context = op->Key.Block->BackendSeal;
        int length = (int)op->Length;
        int written;
        if (!Begin(context, op)
            || LibCrypto.EVP_CipherUpdate(context, op->Destination, &written, op->Source, length) != 1
            || LibCrypto.EVP_CipherFinal_ex(context, op->Destination + length, &written) != 1
            || LibCrypto.EVP_CIPHER_CTX_ctrl(context, LibCrypto.CtrlAeadGetTag, AeadSizes.Tag, op->Destination + length) != 1)
        {
            NativeMemory.Clear(op->Destination, op->Length + AeadSizes.Tag);
            return AeadStatus.BackendError;
        }
        return AeadStatus.Success;
    }

    private static AeadStatus Open(AeadOperation* op)
    {
        nint context = op->Key.Block->BackendOpen;
        int length = (int)op->Length;
        int written;
        // In place the plaintext would overwrite nothing of the tag, which lies behind the ciphertext.
        byte* tag = op->Source + length;
        if (!Begin(context, op)
            || LibCrypto.EVP_CIPHER_CTX_ctrl(context, LibCrypto.CtrlAeadSetTag, AeadSizes.Tag, tag) != 1
            || LibCrypto.EVP_CipherUpdate(context, op->Destination, &written, op->Source, length) != 1)
        {
            NativeMemory.Clear(op->Destination, op->Length);
            return AeadStatus.BackendError;
        }
        byte none;
        if (LibCrypto.EVP_CipherFinal_ex(context, &none, &written) == 1)
            return AeadStatus.Success;
        // libcrypto decrypts before it compares (in constant time): nobody but this method has seen the plaintext.
        NativeMemory.Clear(op->Destination, op->Length);
        return AeadStatus.AuthenticationFailed;
    }

    private static bool Begin(nint context, AeadOperation* op)
    {
        int written;
        if (LibCrypto.EVP_CipherInit_ex(context, 0, 0, null, op->Nonce, -1) != 1)
            return false;
        byte* aad = op->AadLength <= AeadSizes.InlineAad ? op->InlineAad : op->AadPointer;
        return op->AadLength == 0 || LibCrypto.EVP_CipherUpdate(context, null, &written, aad, op->AadLength) == 1;
    }

    private static nint NewContext(nint cipher, byte* key, int encrypt)
    {
        nint context = LibCrypto.EVP_CIPHER_CTX_new();
        if (context != 0 && LibCrypto.EVP_CipherInit_ex(context, cipher, 0, key, null, encrypt) == 1)
            return context;
        LibCrypto.EVP_CIPHER_CTX_free(context);
        return 0;
    }
}
