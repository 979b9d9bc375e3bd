namespace CryptoPlane.Ike.Crypto;

/// <summary>The keys of a pair of child SAs (RFC 7296 §2.17). Whoever has it disposes of it, which zeroes the keys.</summary>
public sealed class ChildKeys : IDisposable
{
    private readonly SecretBytes _material;

    /// <summary>Takes the keying material: all for one direction, then all for the other.</summary>
    /// <param name="suite">The child SA's algorithms.</param>
    /// <param name="material">Of <see cref="MaterialLength"/> bytes; owned by this object from now on.</param>
    internal ChildKeys(EspSuite suite, SecretBytes material)
    {
        Suite = suite;
        _material = material;
    }

    /// <summary>The child SA's algorithms.</summary>
    public EspSuite Suite { get; }

    /// <summary>
    /// Encryption key, then its salt where the cipher has one, of the SA from the initiator to the responder. The initiator is the one
    /// of the exchange that made the child SA, not of the IKE SA.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The keys were disposed of.</exception>
    public ReadOnlySpan<byte> InitiatorEncryption => Part(0, EncryptionLength);

    /// <summary>Integrity key of the SA from the initiator to the responder; empty with an AEAD.</summary>
    /// <exception cref="ObjectDisposedException">The keys were disposed of.</exception>
    public ReadOnlySpan<byte> InitiatorIntegrity => Part(EncryptionLength, IntegrityLength);

    /// <summary>As <see cref="InitiatorEncryption"/>, from the responder to the initiator.</summary>
    /// <exception cref="ObjectDisposedException">The keys were disposed of.</exception>
    public ReadOnlySpan<byte> ResponderEncryption => Part(EncryptionLength + IntegrityLength, EncryptionLength);

    /// <summary>As <see cref="InitiatorIntegrity"/>, from the responder to the initiator.</summary>
    /// <exception cref="ObjectDisposedException">The keys were disposed of.</exception>
    public ReadOnlySpan<byte> ResponderIntegrity => Part((2 * EncryptionLength) + IntegrityLength, IntegrityLength);

    private int EncryptionLength => Suite.Cipher.KeyLength() + Suite.Cipher.SaltLength();

    private int IntegrityLength => Suite.Cipher.IntegrityKeyLength();

    /// <summary>Zeroes the keys.</summary>
    public void Dispose() => _material.Dispose();

    /// <summary>Bytes of keying material for both directions.</summary>
    internal static int MaterialLength(EspSuite suite) =>
        2 * (suite.Cipher.KeyLength() + suite.Cipher.SaltLength() + suite.Cipher.IntegrityKeyLength());

    private ReadOnlySpan<byte> Part(int offset, int length) => _material.Value.Slice(offset, length);
}
