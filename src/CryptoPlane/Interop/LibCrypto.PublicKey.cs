using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

/// <summary>EVP key generation and key agreement, for the PublicKey room.</summary>
internal static unsafe partial class LibCrypto
{
    [LibraryImport(Library)] internal static partial nint EVP_PKEY_CTX_new_from_name(nint libraryContext, byte* name, byte* properties);
    [LibraryImport(Library)] internal static partial nint EVP_PKEY_CTX_new_from_pkey(nint libraryContext, nint key, byte* properties);
    [LibraryImport(Library)] internal static partial void EVP_PKEY_CTX_free(nint context);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_CTX_set_group_name(nint context, byte* name);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_keygen_init(nint context);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_generate(nint context, nint* key);
    [LibraryImport(Library)] internal static partial nint EVP_PKEY_new();
    [LibraryImport(Library)] internal static partial void EVP_PKEY_free(nint key);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_copy_parameters(nint to, nint from);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_set1_encoded_public_key(nint key, byte* publicKey, nuint length);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_get_octet_string_param(nint key, byte* name, byte* buffer, nuint capacity, nuint* length);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_derive_init(nint context);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_derive_set_peer_ex(nint context, nint peer, int validate);
    [LibraryImport(Library)] internal static partial int EVP_PKEY_derive(nint context, byte* secret, nuint* length);
}
