using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

/// <summary>EVP signatures, for keys that the framework has no class for.</summary>
internal static unsafe partial class LibCrypto
{
    [LibraryImport(Library)] internal static partial nint d2i_PUBKEY(nint* key, byte** der, nint length);
    [LibraryImport(Library)] internal static partial int i2d_PUBKEY(nint key, byte** der);
    [LibraryImport(Library)] internal static partial nint d2i_AutoPrivateKey(nint* key, byte** der, nint length);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_eq(nint one, nint other);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_get_bits(nint key);
    [LibraryImport(Library)] internal static partial nint EVP_MD_CTX_new();
    [LibraryImport(Library)] internal static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    internal static partial int EVP_DigestSignInit_ex(nint context, nint* keyContext, byte* digest, nint libraryContext, byte* properties, nint key, Parameter* parameters);

    [LibraryImport(Library)]
    internal static partial int EVP_DigestSign(nint context, byte* signature, nuint* signatureLength, byte* data, nuint dataLength);

    [LibraryImport(Library)]
    internal static partial int EVP_DigestVerifyInit_ex(nint context, nint* keyContext, byte* digest, nint libraryContext, byte* properties, nint key, Parameter* parameters);

    [LibraryImport(Library)]
    internal static partial int EVP_DigestVerify(nint context, byte* signature, nuint signatureLength, byte* data, nuint dataLength);
}
