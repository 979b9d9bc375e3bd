using System.Buffers.Binary;

namespace CryptoPlane.Ike.Crypto;

/// <summary>
/// The keys of one IKE SA (RFC 7296 §2.14): SK_d, SK_ei, SK_er, SK_pi and SK_pr. There is no SK_a with an AEAD (RFC 5282 §7).
/// Initiator and responder are those of this IKE SA: after a rekey, of the exchange that rekeyed it (§2.18).
/// </summary>
internal sealed class IkeKeys : IDisposable
{
    private readonly SecretBytes _material;

    private IkeKeys(IkeSuite suite, ReadOnlySpan<byte> skeySeed, ReadOnlySpan<byte> nonces, ulong initiatorSpi, ulong responderSpi)
    {
        Suite = suite;
        // RFC 7296 §2.14: {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr)
        _material = new SecretBytes((3 * suite.Prf.Length()) + (2 * suite.Cipher.KeyMaterialLength()));
        byte[] seed = new byte[nonces.Length + (2 * sizeof(ulong))];
        nonces.CopyTo(seed);
        BinaryPrimitives.WriteUInt64BigEndian(seed.AsSpan(nonces.Length), initiatorSpi);
        BinaryPrimitives.WriteUInt64BigEndian(seed.AsSpan(nonces.Length + sizeof(ulong)), responderSpi);
        Prf.Expand(suite.Prf, skeySeed, seed, _material.Writable);
    }

    /// <summary>The IKE SA's algorithms.</summary>
    public IkeSuite Suite { get; }

    /// <summary>SK_d: child SAs and the next IKE SA come from it.</summary>
    public ReadOnlySpan<byte> SkD => _material.Value[..Suite.Prf.Length()];

    /// <summary>SK_ei: key and salt of what the initiator sends.</summary>
    public ReadOnlySpan<byte> SkEi => _material.Value.Slice(Suite.Prf.Length(), Suite.Cipher.KeyMaterialLength());

    /// <summary>SK_er: key and salt of what the responder sends.</summary>
    public ReadOnlySpan<byte> SkEr => _material.Value.Slice(Suite.Prf.Length() + Suite.Cipher.KeyMaterialLength(), Suite.Cipher.KeyMaterialLength());

    /// <summary>SK_pi: for the initiator's AUTH.</summary>
    public ReadOnlySpan<byte> SkPi => _material.Value[^(2 * Suite.Prf.Length())..^Suite.Prf.Length()];

    /// <summary>SK_pr: for the responder's AUTH.</summary>
    public ReadOnlySpan<byte> SkPr => _material.Value[^Suite.Prf.Length()..];

    /// <summary>The keys that IKE_SA_INIT makes (RFC 7296 §2.14).</summary>
    /// <param name="suite">What was negotiated.</param>
    /// <param name="sharedSecret">g^ir. The caller disposes of it.</param>
    /// <param name="initiatorNonce">Ni.</param>
    /// <param name="responderNonce">Nr.</param>
    /// <param name="initiatorSpi">SPIi.</param>
    /// <param name="responderSpi">SPIr.</param>
    public static IkeKeys Derive(
        IkeSuite suite,
        SecretBytes sharedSecret,
        ReadOnlySpan<byte> initiatorNonce,
        ReadOnlySpan<byte> responderNonce,
        ulong initiatorSpi,
        ulong responderSpi)
    {
        // SKEYSEED = prf(Ni | Nr, g^ir)
        byte[] nonces = [.. initiatorNonce, .. responderNonce];
        using SecretBytes skeySeed = new(suite.Prf.Length());
        Prf.Compute(suite.Prf, nonces, sharedSecret.Value, skeySeed.Writable);
        return new IkeKeys(suite, skeySeed.Value, nonces, initiatorSpi, responderSpi);
    }

    /// <summary>
    /// The keys of the same IKE SA after a further key exchange (RFC 9370 §2.2.2): SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), and all SK_*
    /// from it. These stay as they are.
    /// </summary>
    /// <param name="sharedSecret">SK(n). The caller disposes of it.</param>
    /// <param name="initiatorNonce">Ni of IKE_SA_INIT.</param>
    /// <param name="responderNonce">Nr of IKE_SA_INIT.</param>
    /// <param name="initiatorSpi">SPIi.</param>
    /// <param name="responderSpi">SPIr.</param>
    public IkeKeys Advance(
        SecretBytes sharedSecret, ReadOnlySpan<byte> initiatorNonce, ReadOnlySpan<byte> responderNonce, ulong initiatorSpi, ulong responderSpi) =>
        Rekey(Suite, sharedSecret, initiatorNonce, responderNonce, initiatorSpi, responderSpi);

    /// <summary>The keys of the IKE SA that replaces this one (RFC 7296 §2.18). This one stays as it is.</summary>
    /// <param name="suite">What was negotiated for the new IKE SA.</param>
    /// <param name="sharedSecret">g^ir of the CREATE_CHILD_SA exchange. The caller disposes of it.</param>
    /// <param name="initiatorNonce">Ni of the exchange.</param>
    /// <param name="responderNonce">Nr of the exchange.</param>
    /// <param name="initiatorSpi">SPIi of the new IKE SA: of who began the exchange.</param>
    /// <param name="responderSpi">SPIr of the new IKE SA.</param>
    /// <param name="further">SK(1) and those after it, where other key exchanges followed (RFC 9370 §2.2.4). The caller disposes of them.</param>
    public IkeKeys Rekey(
        IkeSuite suite,
        SecretBytes sharedSecret,
        ReadOnlySpan<byte> initiatorNonce,
        ReadOnlySpan<byte> responderNonce,
        ulong initiatorSpi,
        ulong responderSpi,
        IReadOnlyList<SecretBytes>? further = null)
    {
        // SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr | SK(1) | …), with the PRF of the old SA; what follows, with that of the new one.
        byte[] nonces = [.. initiatorNonce, .. responderNonce];
        using SecretBytes input = Concatenate(sharedSecret, nonces, further), skeySeed = new(Suite.Prf.Length());
        Prf.Compute(Suite.Prf, SkD, input.Value, skeySeed.Writable);
        return new IkeKeys(suite, skeySeed.Value, nonces, initiatorSpi, responderSpi);
    }

    /// <summary>The keys of a pair of child SAs (RFC 7296 §2.17, RFC 9370 §2.2.4): KEYMAT = prf+(SK_d, [g^ir (new) |] Ni | Nr [| SK(1) | …]).</summary>
    /// <param name="suite">The child SA's algorithms.</param>
    /// <param name="sharedSecret">g^ir of the CREATE_CHILD_SA exchange, where it had a key exchange; else null. The caller disposes of it.</param>
    /// <param name="initiatorNonce">Ni of the exchange that makes the child SA: IKE_SA_INIT's for the first.</param>
    /// <param name="responderNonce">Nr of the same exchange.</param>
    /// <param name="further">SK(1) and those after it, where other key exchanges followed. The caller disposes of them.</param>
    public ChildKeys DeriveChild(
        EspSuite suite, SecretBytes? sharedSecret, ReadOnlySpan<byte> initiatorNonce, ReadOnlySpan<byte> responderNonce,
        IReadOnlyList<SecretBytes>? further = null)
    {
        byte[] nonces = [.. initiatorNonce, .. responderNonce];
        SecretBytes material = new(ChildKeys.MaterialLength(suite));
        using SecretBytes seed = sharedSecret == null ? new SecretBytes(nonces) : Concatenate(sharedSecret, nonces, further);
        Prf.Expand(Suite.Prf, SkD, seed.Value, material.Writable);
        return new ChildKeys(suite, material);
    }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose() => _material.Dispose();

    private static SecretBytes Concatenate(SecretBytes secret, ReadOnlySpan<byte> nonces, IReadOnlyList<SecretBytes>? further)
    {
        SecretBytes all = new(secret.Length + nonces.Length + (further?.Sum(one => one.Length) ?? 0));
        secret.Value.CopyTo(all.Writable);
        nonces.CopyTo(all.Writable[secret.Length..]);
        int offset = secret.Length + nonces.Length;
        foreach (SecretBytes one in further ?? [])
        {
            one.Value.CopyTo(all.Writable[offset..]);
            offset += one.Length;
        }
        return all;
    }
}
