using System.Security.Cryptography;
using CryptoPlane.Interop;

namespace CryptoPlane.PublicKey;

/// <summary>A thread's own context of libcrypto for one hash: it is begun again for every digest, which takes neither lock nor memory.</summary>
internal sealed unsafe class DigestContext
{
    [ThreadStatic] private static DigestContext? t_sha256, t_sha384, t_sha512;

    // Found once in a process, and never given back.
    private static readonly nint[] s_digests = new nint[3];

    private readonly nint _digest;
    private nint _context;

    private DigestContext(Sha2 hash)
    {
        _digest = Digest(hash);
        _context = _digest == 0 ? 0 : LibCrypto.EVP_MD_CTX_new();
        if (_context == 0)
            throw Failed();
    }

    /// <summary>libcrypto erases the state when the thread has gone.</summary>
    ~DigestContext()
    {
        LibCrypto.EVP_MD_CTX_free(_context);
        _context = 0;
    }

    /// <summary>The calling thread's context.</summary>
    public static DigestContext Of(Sha2 hash) => hash switch
    {
        Sha2.Sha256 => t_sha256 ??= new DigestContext(hash),
        Sha2.Sha384 => t_sha384 ??= new DigestContext(hash),
        Sha2.Sha512 => t_sha512 ??= new DigestContext(hash),
        _ => throw new ArgumentOutOfRangeException(nameof(hash), hash, "Not a hash of SHA-2."),
    };

    public void Begin() => Check(LibCrypto.EVP_DigestInit_ex2(_context, _digest, 0));

    // Sound, here and below: the context is the thread's own, and is reachable from it while the call lasts.
    public void Append(ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data)
            Check(LibCrypto.EVP_DigestUpdate(_context, bytes, (nuint)data.Length));
    }

    /// <param name="digest">Has room for the digest.</param>
    public void End(Span<byte> digest)
    {
        uint length;
        fixed (byte* bytes = digest)
            Check(LibCrypto.EVP_DigestFinal_ex(_context, bytes, &length));
    }

    /// <summary>Puts the beginning's state in place of the last one, which may be a secret.</summary>
    public void Forget() => Begin();

    private static nint Digest(Sha2 hash)
    {
        ref nint digest = ref s_digests[(int)hash];
        if (digest != 0)
            return digest;
        ReadOnlySpan<byte> name = hash switch { Sha2.Sha256 => "SHA2-256\0"u8, Sha2.Sha384 => "SHA2-384\0"u8, _ => "SHA2-512\0"u8 };
        // Two threads that come at once find the same one, counted twice.
        fixed (byte* text = name)
            digest = LibCrypto.EVP_MD_fetch(0, text, null);
        return digest;
    }

    private static void Check(int result)
    {
        if (result != 1)
            throw Failed();
    }

    private static CryptographicException Failed()
    {
        LibCrypto.ERR_clear_error();
        return new CryptographicException("libcrypto could not compute a digest: check that its default provider is loaded, and that there is memory.");
    }
}
