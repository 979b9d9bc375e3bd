using System.Security.Cryptography;

namespace VpnBroker.OpenConnect.Strap;

/// <summary>
/// A client's key of STRAP, the Session Token Re-use Anchor Protocol of AnyConnect: an ECDSA P-256 key that the client makes for a session.
/// Its private half stays on the client, so that a cookie alone opens nothing.
/// </summary>
/// <remarks>
/// The client names its key at the log-in. With each CONNECT it sends the key that it will use next, and a signature with the present one
/// over this connection's binding and the next key: one signature shows the possession, binds it to the connection, and hands over.
/// </remarks>
public sealed class StrapKey
{
    /// <summary>Request header with a public key.</summary>
    public const string KeyHeader = "X-AnyConnect-STRAP-Pubkey";

    /// <summary>Request header with a signature.</summary>
    public const string ProofHeader = "X-AnyConnect-STRAP-Verify";

    /// <summary>Most characters of a header: a P-256 key takes 124, a signature 96.</summary>
    private const int MaxText = 256;

    /// <summary>secp256r1 (RFC 5480 §2.1.1.1).</summary>
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly byte[] _publicKey;

    private StrapKey(byte[] publicKey) => _publicKey = publicKey;

    /// <summary>Reads a key.</summary>
    /// <param name="text">SubjectPublicKeyInfo in DER and base64.</param>
    /// <returns>Null when there is none, or it is no P-256 key.</returns>
    public static StrapKey? TryParse(string? text)
    {
        if (Decode(text) is not { } der)
            return null;
        using ECDsa? key = Import(der);
        return key is null ? null : new StrapKey(der);
    }

    /// <summary>Whether this key's owner speaks on a connection, and wants to be known by another key from now on.</summary>
    /// <param name="connection">The connection's bindings.</param>
    /// <param name="next">The next key, which may be this one.</param>
    /// <param name="proof">The signature: ECDSA with SHA-256, in DER and base64.</param>
    public bool Verify(ChannelBindings connection, StrapKey next, string? proof)
    {
        if (Decode(proof) is not { } signature)
            return false;
        using ECDsa key = Import(_publicKey)!;
        return IsSigned(key, connection.ClientFinished.Span, next, signature) || IsSigned(key, connection.Exporter.Span, next, signature);
    }

    private static bool IsSigned(ECDsa key, ReadOnlySpan<byte> binding, StrapKey next, byte[] signature)
    {
        byte[] content = [.. binding, .. next._publicKey];
        return key.VerifyData(content, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    private static byte[]? Decode(string? text)
    {
        if (text is null || text.Length > MaxText)
            return null;
        byte[] bytes = new byte[MaxText];
        return Convert.TryFromBase64String(text, bytes, out int length) ? bytes[..length] : null;
    }

    private static ECDsa? Import(byte[] der)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(der, out int read);
            if (read == der.Length && key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == P256)
                return key;
        }
        catch (CryptographicException)
        {
            // No key, or not of a curve: as good as none.
        }
        key.Dispose();
        return null;
    }
}
