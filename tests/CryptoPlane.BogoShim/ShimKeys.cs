using System.Security.Cryptography;
using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>The keys from elsewhere that the flags name, each imported for the suites of either hash (RFC 9258 §5), as BoringSSL does it.</summary>
internal sealed class ShimKeys(ShimSettings settings) : ITlsPreSharedKeys
{
    public IReadOnlyList<TlsPreSharedKey> All { get; } = [.. settings.Credentials.Where(one => one.Key != null).SelectMany(Import)];

    public TlsPreSharedKey? Find(ReadOnlySpan<byte> identity)
    {
        foreach (TlsPreSharedKey key in All)
        {
            if (identity.SequenceEqual(key.Identity))
                return key;
        }
        return null;
    }

    private static IEnumerable<TlsPreSharedKey> Import(ShimCredential one) =>
    [
        TlsPreSharedKey.Import(one.KeyIdentity, one.Key, HashAlgorithmName.SHA256, one.KeyContext, one.KeyHash),
        TlsPreSharedKey.Import(one.KeyIdentity, one.Key, HashAlgorithmName.SHA384, one.KeyContext, one.KeyHash),
    ];
}
