using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

/// <summary>EVP ciphers, for the portable AEAD backend.</summary>
internal static unsafe partial class LibCrypto
{
    internal const int CtrlAeadSetIvLength = 0x09, CtrlAeadGetTag = 0x10, CtrlAeadSetTag = 0x11;

    [LibraryImport(Library)] internal static partial nint EVP_CIPHER_CTX_new();
    [LibraryImport(Library)] internal static partial void EVP_CIPHER_CTX_free(nint context);
    [LibraryImport(Library)] internal static partial nint EVP_aes_128_gcm();
    [LibraryImport(Library)] internal static partial nint EVP_aes_256_gcm();
    [LibraryImport(Library)] internal static partial nint EVP_chacha20_poly1305();
    [LibraryImport(Library)] internal static partial int EVP_CIPHER_CTX_ctrl(nint context, int type, int argument, void* pointer);
    [LibraryImport(Library)] internal static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);
    [LibraryImport(Library)] internal static partial int EVP_CipherUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);
    [LibraryImport(Library)] internal static partial int EVP_CipherFinal_ex(nint context, byte* output, int* outputLength);
    [LibraryImport(Library)] internal static partial void ERR_clear_error();
    [LibraryImport(Library)] internal static partial nuint ERR_peek_error();
}
