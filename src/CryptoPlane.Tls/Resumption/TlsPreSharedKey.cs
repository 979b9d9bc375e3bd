using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>
/// A key that client and server have from elsewhere, and the identity by which the client says which one it means (RFC 8446 §2.2,
/// §4.2.11). Whoever has it is let in without a certificate, on either side, and always with a key exchange.
/// </summary>
/// <remarks>
/// The identity is sent in the clear. The key must be random, not a password: a stranger who has recorded one ClientHello can try keys
/// against its binder (RFC 9257 §4). Immutable; safe for every thread until it is disposed of.
/// </remarks>
public sealed class TlsPreSharedKey : IDisposable
{
    /// <summary>Fewest bytes of a key: 128 bits (RFC 9257 §6).</summary>
    public const int MinKeySize = 16;

    /// <summary>Most bytes of an identity.</summary>
    public const int MaxIdentitySize = 4096;

    /// <summary>HKDF_SHA256 and HKDF_SHA384 of RFC 9258 §10, as target_kdf.</summary>
    private const ushort KdfSha256 = 1, KdfSha384 = 2;

    /// <summary>Two lengths and two code points of an ImportedIdentity (RFC 9258 §5.1).</summary>
    private const int ImportedIdentityOverhead = 8;

    private readonly byte[] _identity;
    private readonly byte[] _key;
    private bool _disposed;

    /// <summary>Makes a key for TLS 1.3 alone. If it is used elsewhere as well, take <see cref="Import"/> on both sides.</summary>
    /// <param name="identity">1 to <see cref="MaxIdentitySize"/> bytes.</param>
    /// <param name="key">At least <see cref="MinKeySize"/> random bytes, which the caller erases.</param>
    /// <param name="hash">
    /// SHA-256 or SHA-384: RFC 8446 §4.2.11 binds a key to one, and it is of use with suites of that hash alone. By default SHA-256, which
    /// is what other implementations take.
    /// </param>
    /// <exception cref="ArgumentException">The identity is too short or too long, the key is too short, or the hash is another.</exception>
    public TlsPreSharedKey(ReadOnlySpan<byte> identity, ReadOnlySpan<byte> key, HashAlgorithmName hash = default)
        : this(identity, key, HashOf(hash), isImported: false)
    {
    }

    private TlsPreSharedKey(ReadOnlySpan<byte> identity, ReadOnlySpan<byte> key, TlsHash hash, bool isImported)
    {
        if (identity.Length is 0 or > MaxIdentitySize)
            throw new ArgumentException($"An identity has 1 to {MaxIdentitySize} bytes, not {identity.Length}.", nameof(identity));
        if (key.Length < MinKeySize)
            throw new ArgumentException($"A pre-shared key has at least {MinKeySize} random bytes, not {key.Length}.", nameof(key));
        _identity = identity.ToArray();
        // Pinned, lest the collector leave copies.
        _key = GC.AllocateUninitializedArray<byte>(key.Length, pinned: true);
        key.CopyTo(_key);
        Hash = hash;
        IsImported = isImported;
    }

    /// <summary>
    /// Derives a key for TLS 1.3 and one hash from a key that may serve other protocols or hashes too (RFC 9258 §5): both sides import it,
    /// and what is sent as the identity is <see cref="Identity"/> of the result.
    /// </summary>
    /// <param name="identity">Of the key; 1 byte at least.</param>
    /// <param name="key">At least <see cref="MinKeySize"/> random bytes, which the caller erases.</param>
    /// <param name="hash">SHA-256 or SHA-384: of the suites that the result is for. By default SHA-256.</param>
    /// <param name="context">What both sides know of each other, such as their roles (RFC 9258 §B); may be empty.</param>
    /// <param name="keyHash">SHA-256 or SHA-384: what the key to import is bound to where it comes from. By default SHA-256, as for one that is bound to none.</param>
    /// <exception cref="ArgumentException">As with the constructor; identity and context together count as the identity.</exception>
    public static TlsPreSharedKey Import(
        ReadOnlySpan<byte> identity, ReadOnlySpan<byte> key, HashAlgorithmName hash = default, ReadOnlySpan<byte> context = default,
        HashAlgorithmName keyHash = default)
    {
        if (identity.IsEmpty || identity.Length + context.Length > MaxIdentitySize - ImportedIdentityOverhead)
            throw new ArgumentException($"Identity and context have 1 to {MaxIdentitySize - ImportedIdentityOverhead} bytes together.", nameof(identity));
        if (key.Length < MinKeySize)
            throw new ArgumentException($"A pre-shared key has at least {MinKeySize} random bytes, not {key.Length}.", nameof(key));
        TlsHash target = HashOf(hash), own = HashOf(keyHash);
        // RFC 9258 §5.1: external_identity, context, target_protocol, target_kdf.
        var imported = new WireWriter();
        imported.WriteVector16(identity);
        imported.WriteVector16(context);
        imported.WriteUInt16(ProtocolVersions.Tls13);
        imported.WriteUInt16(target == TlsHash.Sha384 ? KdfSha384 : KdfSha256);

        // epskx = HKDF-Extract(0, epsk); ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L), with the hash of the
        // imported key, "or SHA-256 if there is none", and the length of the target's.
        Span<byte> extracted = stackalloc byte[own.Length()], digest = stackalloc byte[own.Length()];
        Span<byte> derived = stackalloc byte[target.Length()];
        Hkdf.Extract(own, [], key, extracted);
        CryptographicOperations.HashData(own == TlsHash.Sha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256, imported.Written, digest);
        Hkdf.ExpandLabel(own, extracted, "derived psk"u8, digest, derived);
        var result = new TlsPreSharedKey(imported.Written, derived, target, isImported: true);
        CryptographicOperations.ZeroMemory(extracted);
        CryptographicOperations.ZeroMemory(derived);
        return result;
    }

    /// <summary>Erases a key that nobody has disposed of.</summary>
    ~TlsPreSharedKey() => CryptographicOperations.ZeroMemory(_key);

    /// <summary>What goes on the wire to name the key.</summary>
    public ReadOnlySpan<byte> Identity => _identity;

    /// <summary>The hash that the key is bound to.</summary>
    internal TlsHash Hash { get; }

    /// <summary>Says how a binder is derived: RFC 9258 §5.2 gives imported keys a label of their own.</summary>
    internal bool IsImported { get; }

    /// <exception cref="ObjectDisposedException">The key was disposed of.</exception>
    internal ReadOnlySpan<byte> Key
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _key;
        }
    }

    /// <summary>Erases the key.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_key);
        GC.SuppressFinalize(this);
    }

    private static TlsHash HashOf(HashAlgorithmName name)
    {
        if (name == HashAlgorithmName.SHA384)
            return TlsHash.Sha384;
        return name == default || name == HashAlgorithmName.SHA256
            ? TlsHash.Sha256
            : throw new ArgumentException($"The hashes of TLS 1.3's suites are SHA-256 and SHA-384, not {name}.", nameof(name));
    }
}
