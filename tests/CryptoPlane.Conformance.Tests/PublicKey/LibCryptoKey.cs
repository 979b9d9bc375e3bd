using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Interop;

namespace CryptoPlane.Conformance.Tests.PublicKey;

/// <summary>A libcrypto private key made of a vector's number: the library itself only ever generates them.</summary>
internal sealed unsafe partial class LibCryptoKey : IDisposable
{
    private LibCryptoKey(nint handle) => Handle = handle;

    public nint Handle { get; }

    /// <summary>RFC 8410 §7: PKCS #8 around the 32 bytes of an X25519 key.</summary>
    public static LibCryptoKey X25519(ReadOnlySpan<byte> privateKey) =>
        Decode([0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x04, 0x22, 0x04, 0x20, .. privateKey]);

    /// <summary>A private number on a curve; the framework adds the public point.</summary>
    public static LibCryptoKey Ec(ECCurve curve, ReadOnlySpan<byte> privateKey)
    {
        using ECDiffieHellman key = ECDiffieHellman.Create(new ECParameters { Curve = curve, D = privateKey.ToArray() });
        return Decode(key.ExportPkcs8PrivateKey());
    }

    public void Dispose() => LibCrypto.EVP_PKEY_free(Handle);

    private static LibCryptoKey Decode(byte[] pkcs8)
    {
        fixed (byte* bytes = pkcs8)
        {
            byte* cursor = bytes;
            nint key = d2i_AutoPrivateKey(null, &cursor, new CLong(pkcs8.Length));
            Assert.NotEqual(0, key);
            return new LibCryptoKey(key);
        }
    }

    [LibraryImport("libcrypto.so.3")]
    private static partial nint d2i_AutoPrivateKey(nint* key, byte** bytes, CLong length);
}
