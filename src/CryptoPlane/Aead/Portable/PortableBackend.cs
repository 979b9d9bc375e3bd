using System.Runtime.InteropServices;
using CryptoPlane.Interop;

namespace CryptoPlane.Aead.Portable;

/// <summary>
/// Every algorithm through libcrypto's EVP, with two contexts per key that are keyed once: for CPUs without AES-NI, and for
/// ChaCha20-Poly1305.
/// </summary>
/// <remarks>
/// <para>The framework's own classes are not used here: on a forged tag they throw and allocate, at a price that the attacker sets.</para>
/// <para>Every call of an operation sets the nonce anew (EVP_CipherInit_ex without a key), which also clears whatever a failed
/// operation left in the context.</para>
/// </remarks>
internal sealed unsafe class PortableBackend : IAeadBackend
{
    public string Name => "portable";

    public string Description => "portable: AES-GCM and ChaCha20-Poly1305 by libcrypto's EVP, one operation at a time";

    public AeadBackendKind Kind => AeadBackendKind.Portable;

    public bool IsSynchronous => true;

    public int InFlight => 0;

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
        LibCrypto.ERR_clear_error();
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
        for (int i = 0; i < count; i++)
        {
            AeadOperation* operation = operations + i;
            operation->Status = operation->Direction == AeadDirection.Seal ? Seal(operation) : Open(operation);
            // The thread's error queue would keep what libcrypto says about a forged tag: here the status says it all.
            if (operation->Status != AeadStatus.Success)
                LibCrypto.ERR_clear_error();
        }
        return count;
    }

    public int Poll(AeadOperation** completed, int capacity) => 0;

    public void Dispose()
    {
        // Nothing is held: contexts belong to their keys.
    }

    private static AeadStatus Seal(AeadOperation* op)
    {
        nint context = op->Key.Block->BackendSeal;
        byte* tag = op->Destination + op->Length;
        byte none;
        int written;
        if (Begin(context, op)
            && Crypt(context, op)
            && LibCrypto.EVP_CipherFinal_ex(context, &none, &written) == 1
            && LibCrypto.EVP_CIPHER_CTX_ctrl(context, LibCrypto.CtrlAeadGetTag, AeadSizes.Tag, tag) == 1)
        {
            return AeadStatus.Success;
        }
        NativeMemory.Clear(op->Destination, op->Length + AeadSizes.Tag);
        return AeadStatus.BackendError;
    }

    private static AeadStatus Open(AeadOperation* op)
    {
        nint context = op->Key.Block->BackendOpen;
        // In place the plaintext overwrites nothing of the tag, which lies behind the ciphertext.
        byte* tag = op->Source + op->Length;
        byte none;
        int written;
        if (!Begin(context, op)
            || LibCrypto.EVP_CIPHER_CTX_ctrl(context, LibCrypto.CtrlAeadSetTag, AeadSizes.Tag, tag) != 1
            || !Crypt(context, op))
        {
            NativeMemory.Clear(op->Destination, op->Length);
            return AeadStatus.BackendError;
        }
        if (LibCrypto.EVP_CipherFinal_ex(context, &none, &written) == 1)
            return AeadStatus.Success;
        // libcrypto decrypts before it compares (in constant time): nobody but this method has seen the plaintext.
        NativeMemory.Clear(op->Destination, op->Length);
        return AeadStatus.AuthenticationFailed;
    }

    /// <summary>Sets the nonce and takes in the AAD.</summary>
    private static bool Begin(nint context, AeadOperation* op)
    {
        int written;
        if (LibCrypto.EVP_CipherInit_ex(context, 0, 0, null, op->Nonce, -1) != 1)
            return false;
        byte* aad = op->AadLength <= AeadSizes.InlineAad ? op->InlineAad : op->AadPointer;
        return op->AadLength == 0 || LibCrypto.EVP_CipherUpdate(context, null, &written, aad, op->AadLength) == 1;
    }

    private static bool Crypt(nint context, AeadOperation* op)
    {
        int written;
        // Without data there is nothing to update; with a null source libcrypto would take the call for the end of the message.
        return op->Length == 0
            || (LibCrypto.EVP_CipherUpdate(context, op->Destination, &written, op->Source, (int)op->Length) == 1 && written == (int)op->Length);
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
