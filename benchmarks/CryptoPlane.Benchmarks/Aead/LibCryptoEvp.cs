using System.Runtime.InteropServices;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>
/// What the benchmark needs of OpenSSL's EVP, called as a C program would: straight, without the library under test in between.
/// </summary>
internal static unsafe partial class LibCryptoEvp
{
    private const string Library = "libcrypto.so.3";

    internal const int ControlGetTag = 0x10, ControlSetTag = 0x11;

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_new")] internal static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_free")] internal static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_fetch", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint Fetch(nint libraryContext, string algorithm, string? properties);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_free")] internal static partial void FreeCipher(nint cipher);

    [LibraryImport(Library, EntryPoint = "EVP_CipherInit_ex")]
    internal static partial int Initialize(nint context, nint cipher, nint engine, byte* key, byte* nonce, int encrypt);

    [LibraryImport(Library, EntryPoint = "EVP_CipherUpdate")]
    internal static partial int Update(nint context, byte* output, int* written, byte* input, int length);

    [LibraryImport(Library, EntryPoint = "EVP_CipherFinal_ex")]
    internal static partial int Final(nint context, byte* output, int* written);

    [LibraryImport(Library, EntryPoint = "EVP_CIPHER_CTX_ctrl")]
    internal static partial int Control(nint context, int command, int argument, void* pointer);
}
