using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

/// <summary>EVP's block ciphers and HMAC, for AES-CBC with HMAC-SHA-256.</summary>
internal static unsafe partial class LibCrypto
{
    /// <summary>The type of a parameter that is a string of UTF-8.</summary>
    internal const uint ParameterUtf8String = 4;

    [LibraryImport(Library)] internal static partial nint EVP_aes_128_cbc();
    [LibraryImport(Library)] internal static partial nint EVP_aes_256_cbc();
    [LibraryImport(Library)] internal static partial nint EVP_aes_128_ecb();
    [LibraryImport(Library)] internal static partial int EVP_CIPHER_CTX_set_padding(nint context, int padding);
    [LibraryImport(Library)] internal static partial nint EVP_MAC_fetch(nint libraryContext, byte* algorithm, byte* properties);
    [LibraryImport(Library)] internal static partial void EVP_MAC_free(nint mac);
    [LibraryImport(Library)] internal static partial nint EVP_MAC_CTX_new(nint mac);
    [LibraryImport(Library)] internal static partial void EVP_MAC_CTX_free(nint context);
    [LibraryImport(Library)] internal static partial int EVP_MAC_init(nint context, byte* key, nuint keyLength, Parameter* parameters);
    [LibraryImport(Library)] internal static partial int EVP_MAC_update(nint context, byte* data, nuint length);
    [LibraryImport(Library)] internal static partial int EVP_MAC_final(nint context, byte* output, nuint* length, nuint capacity);

    /// <summary>OSSL_PARAM: one parameter of an algorithm; a list ends with one whose key is null.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Parameter
    {
        public byte* Key;
        public uint DataType;
        public void* Data;
        public nuint DataSize;
        public nuint ReturnSize;
    }
}
