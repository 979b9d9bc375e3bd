using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Interop;

namespace CryptoPlane.Cbc;

/// <summary>
/// AES-CBC and HMAC-SHA-256 with a tag of 128 bits, encrypt-then-MAC, as older IPsec gateways want it (RFC 3602, RFC 4868), by libcrypto:
/// one packet at a time, and many times slower than an AEAD of the engine. One direction of one key, in native memory.
/// </summary>
/// <remarks>
/// <code>
/// | header | IV 16 | data: whole blocks of 16 | tag 16 |   [suffix]
///                  |&lt;------ encrypted -------&gt;|            authenticated, not sent
/// |&lt;----------- authenticated --------------&gt;|
/// </code>
/// <para>IVs cannot be foretold without the key (RFC 3602 §3; NIST SP 800-38A, appendix C): each is a counter, encrypted under a key that is
/// derived for it alone. Nothing is decrypted before the tag has proved right, and tags are compared in constant time.</para>
/// <para>Made on a control thread, used by one thread at a time, freed by whoever has it last. libcrypto zeroes keys when they are freed.</para>
/// </remarks>
public unsafe struct CbcHmacKey
{
    /// <summary>Bytes of a block and of an IV.</summary>
    public const int Block = 16;

    /// <summary>Bytes of the tag: half an HMAC-SHA-256 (RFC 4868 §2.3).</summary>
    public const int Tag = 16;

    /// <summary>Bytes of the key of HMAC-SHA-256 (RFC 4868 §2.1.1).</summary>
    public const int IntegrityKey = 32;

    private const int Hash = 32;

    private nint _cipher, _ivCipher, _mac;
    private int _seals;

    /// <summary>Makes a key.</summary>
    /// <param name="key">16 or 32 bytes.</param>
    /// <param name="integrityKey">32 bytes.</param>
    /// <param name="seals">Whether it seals; else it opens.</param>
    /// <exception cref="ArgumentException">A key has another length.</exception>
    /// <exception cref="CryptographicException">libcrypto does not have the algorithms.</exception>
    public static CbcHmacKey* Create(ReadOnlySpan<byte> key, ReadOnlySpan<byte> integrityKey, bool seals)
    {
        if (key.Length is not (16 or 32) || integrityKey.Length != IntegrityKey)
            throw new ArgumentException($"AES-CBC with HMAC-SHA-256 takes keys of 16 or 32, and of {IntegrityKey} bytes, not {key.Length} and {integrityKey.Length}.");
        var made = (CbcHmacKey*)NativeMemory.AllocZeroed((nuint)sizeof(CbcHmacKey));
        made->_seals = seals ? 1 : 0;
        made->_mac = NewMac(integrityKey);
        made->_cipher = NewCipher(key.Length == 16 ? LibCrypto.EVP_aes_128_cbc() : LibCrypto.EVP_aes_256_cbc(), key, made->_seals);
        if (made->_mac != 0 && seals)
            made->_ivCipher = NewIvCipher(made->_mac);
        if (made->_mac != 0 && made->_cipher != 0 && (!seals || made->_ivCipher != 0))
            return made;
        Free(made);
        LibCrypto.ERR_clear_error();
        throw new CryptographicException("libcrypto has no AES-CBC or no HMAC-SHA-256.");
    }

    /// <summary>Frees a key; null does nothing.</summary>
    public static void Free(CbcHmacKey* key)
    {
        if (key == null)
            return;
        LibCrypto.EVP_CIPHER_CTX_free(key->_cipher);
        LibCrypto.EVP_CIPHER_CTX_free(key->_ivCipher);
        LibCrypto.EVP_MAC_CTX_free(key->_mac);
        NativeMemory.Free(key);
    }

    /// <summary>Writes the IV, encrypts in place, and writes the tag behind the data.</summary>
    /// <param name="packet">A header, room for the IV, the data, room for the tag.</param>
    /// <param name="headerLength">Bytes of the header.</param>
    /// <param name="length">Bytes of the data: whole blocks.</param>
    /// <param name="counter">Never the same twice under this key: the packet's number.</param>
    /// <param name="suffix">What is authenticated behind the data and not sent; may be empty.</param>
    /// <returns>False if libcrypto fails: what lies there then is of no use, and part of it may be plain.</returns>
    public bool TrySeal(byte* packet, int headerLength, int length, ulong counter, ReadOnlySpan<byte> suffix)
    {
        byte* iv = packet + headerLength;
        byte* data = iv + Block;
        byte* hash = stackalloc byte[Hash];
        ulong* block = stackalloc ulong[2];
        block[0] = counter;
        block[1] = 0;
        int written;
        if (_seals == 0
            || LibCrypto.EVP_CipherUpdate(_ivCipher, iv, &written, (byte*)block, Block) != 1 || written != Block
            || LibCrypto.EVP_CipherInit_ex(_cipher, 0, 0, null, iv, -1) != 1
            || LibCrypto.EVP_CipherUpdate(_cipher, data, &written, data, length) != 1 || written != length
            || !TryHash(packet, headerLength + Block + length, suffix, hash))
        {
            LibCrypto.ERR_clear_error();
            return false;
        }
        new ReadOnlySpan<byte>(hash, Tag).CopyTo(new Span<byte>(data + length, Tag));
        return true;
    }

    /// <summary>Checks the tag, then decrypts in place.</summary>
    /// <param name="packet">A header, the IV, the data, the tag.</param>
    /// <param name="headerLength">Bytes of the header.</param>
    /// <param name="length">Bytes of the data: whole blocks.</param>
    /// <param name="suffix">What is authenticated behind the data and was not sent; may be empty.</param>
    /// <returns>False if the tag is wrong, or libcrypto fails; a wrong tag leaves the packet as it is.</returns>
    public bool TryOpen(byte* packet, int headerLength, int length, ReadOnlySpan<byte> suffix)
    {
        byte* iv = packet + headerLength;
        byte* data = iv + Block;
        byte* hash = stackalloc byte[Hash];
        int written;
        if (TryHash(packet, headerLength + Block + length, suffix, hash)
            && CryptographicOperations.FixedTimeEquals(new ReadOnlySpan<byte>(hash, Tag), new ReadOnlySpan<byte>(data + length, Tag))
            && _seals == 0
            && LibCrypto.EVP_CipherInit_ex(_cipher, 0, 0, null, iv, -1) == 1
            && LibCrypto.EVP_CipherUpdate(_cipher, data, &written, data, length) == 1 && written == length)
        {
            return true;
        }
        LibCrypto.ERR_clear_error();
        return false;
    }

    private readonly bool TryHash(byte* data, int length, ReadOnlySpan<byte> suffix, byte* hash)
    {
        nuint written;
        // Without a key libcrypto begins anew with the one that it has.
        if (LibCrypto.EVP_MAC_init(_mac, null, 0, null) != 1 || LibCrypto.EVP_MAC_update(_mac, data, (nuint)length) != 1)
            return false;
        fixed (byte* more = suffix)
        {
            if (suffix.Length != 0 && LibCrypto.EVP_MAC_update(_mac, more, (nuint)suffix.Length) != 1)
                return false;
        }
        return LibCrypto.EVP_MAC_final(_mac, hash, &written, Hash) == 1 && written == Hash;
    }

    private static nint NewMac(ReadOnlySpan<byte> integrityKey)
    {
        fixed (byte* name = "HMAC"u8, parameter = "digest"u8, digest = "SHA256"u8, key = integrityKey)
        {
            nint mac = LibCrypto.EVP_MAC_fetch(0, name, null);
            nint context = mac == 0 ? 0 : LibCrypto.EVP_MAC_CTX_new(mac);
            // The context holds the algorithm from here on.
            LibCrypto.EVP_MAC_free(mac);
            LibCrypto.Parameter* parameters = stackalloc LibCrypto.Parameter[2];
            parameters[0] = new LibCrypto.Parameter { Key = parameter, DataType = LibCrypto.ParameterUtf8String, Data = digest, DataSize = 6, ReturnSize = nuint.MaxValue };
            parameters[1] = default;
            if (context != 0 && LibCrypto.EVP_MAC_init(context, key, (nuint)integrityKey.Length, parameters) == 1)
                return context;
            LibCrypto.EVP_MAC_CTX_free(context);
            return 0;
        }
    }

    private static nint NewCipher(nint cipher, ReadOnlySpan<byte> key, int seals)
    {
        fixed (byte* raw = key)
        {
            nint context = LibCrypto.EVP_CIPHER_CTX_new();
            if (context != 0 && LibCrypto.EVP_CipherInit_ex(context, cipher, 0, raw, null, seals) == 1 && LibCrypto.EVP_CIPHER_CTX_set_padding(context, 0) == 1)
                return context;
            LibCrypto.EVP_CIPHER_CTX_free(context);
            return 0;
        }
    }

    /// <summary>
    /// The cipher that makes IVs of counters. Its key is the HMAC of a text under the integrity key: shorter than anything that is ever
    /// authenticated by it, so that no tag on the wire tells of the key.
    /// </summary>
    private static nint NewIvCipher(nint mac)
    {
        ReadOnlySpan<byte> text = "IV"u8;
        byte* hash = stackalloc byte[Hash];
        nuint written;
        nint cipher = 0;
        fixed (byte* data = text)
        {
            if (LibCrypto.EVP_MAC_init(mac, null, 0, null) == 1 && LibCrypto.EVP_MAC_update(mac, data, (nuint)text.Length) == 1
                && LibCrypto.EVP_MAC_final(mac, hash, &written, Hash) == 1)
            {
                cipher = NewCipher(LibCrypto.EVP_aes_128_ecb(), new ReadOnlySpan<byte>(hash, Block), 1);
            }
        }
        CryptographicOperations.ZeroMemory(new Span<byte>(hash, Hash));
        return cipher;
    }
}
