namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A server's keys in a list.</summary>
internal sealed class KeyTable(params TlsPreSharedKey[] keys) : ITlsPreSharedKeys
{
    public TlsPreSharedKey? Find(ReadOnlySpan<byte> identity)
    {
        foreach (TlsPreSharedKey key in keys)
        {
            if (identity.SequenceEqual(key.Identity))
                return key;
        }
        return null;
    }
}
