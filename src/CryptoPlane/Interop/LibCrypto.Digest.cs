using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

// What digests need.
internal static unsafe partial class LibCrypto
{
    [LibraryImport(Library)] internal static partial nint EVP_MD_fetch(nint libraryContext, byte* algorithm, byte* properties);

    [LibraryImport(Library)] internal static partial int EVP_DigestInit_ex2(nint context, nint digest, nint parameters);

    [LibraryImport(Library)] internal static partial int EVP_DigestUpdate(nint context, byte* data, nuint length);

    [LibraryImport(Library)] internal static partial int EVP_DigestFinal_ex(nint context, byte* digest, uint* length);
}
