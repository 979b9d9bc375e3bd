using System.Buffers.Binary;
using CryptoPlane.Aead;

namespace CryptoPlane.Ike.Crypto;

/// <summary>
/// Seals and opens the Encrypted (SK, RFC 7296 §3.14) and Encrypted Fragment (SKF, RFC 7383 §2.5) payloads of one IKE SA, by RFC 5282:
/// IV (8 bytes) | ciphertext of the payloads, padding and Pad Length | ICV (16 bytes), which follow the payload's generic header (and
/// fragment numbers).
/// </summary>
/// <remarks>
/// The IV is a counter, so that no nonce comes twice under a key: every call of <see cref="Seal"/> takes the next. What is retransmitted
/// is the sealed message itself. On the thread that owns the engine.
/// </remarks>
internal sealed class SkProtection : IDisposable
{
    /// <summary>Bytes of the explicit IV (RFC 5282 §4).</summary>
    public const int IvLength = 8;

    /// <summary>Bytes that sealing adds to the inner payloads: IV, Pad Length and ICV. RFC 5282 §3 asks for no padding, and none is sent.</summary>
    public const int Overhead = IvLength + 1 + AeadSizes.Tag;

    private readonly AeadEngine _engine;
    private readonly AeadKey _sealKey, _openKey;
    private readonly SecretBytes _sealSalt, _openSalt;
    private ulong _nextIv;

    /// <summary>Expands the keys of one side.</summary>
    /// <param name="engine">Does the work; outlives this object.</param>
    /// <param name="keys">The IKE SA's keys, of which this object keeps its own.</param>
    /// <param name="isInitiator">Whether this side is the initiator of the IKE SA.</param>
    public SkProtection(AeadEngine engine, IkeKeys keys, bool isInitiator)
    {
        _engine = engine;
        (_sealKey, _sealSalt) = Expand(keys.Suite.Cipher, isInitiator ? keys.SkEi : keys.SkEr);
        (_openKey, _openSalt) = Expand(keys.Suite.Cipher, isInitiator ? keys.SkEr : keys.SkEi);
    }

    /// <summary>Seals inner payloads.</summary>
    /// <param name="associatedData">
    /// The message from its first byte to the end of the payload's generic header (of an SKF payload: of its fragment numbers), with the
    /// final lengths filled in (RFC 5282 §5.1, RFC 7383 §2.5).
    /// </param>
    /// <param name="payloads">The inner payloads, or a fragment of them.</param>
    /// <param name="body">Takes what follows the header: <see cref="Overhead"/> bytes more than <paramref name="payloads"/> has.</param>
    /// <exception cref="ArgumentException">The body has another size, or the associated data is longer than 65,535 bytes.</exception>
    /// <exception cref="InvalidOperationException">The engine failed, or all nonces of the key were used.</exception>
    public void Seal(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> payloads, Span<byte> body)
    {
        if (body.Length != payloads.Length + Overhead)
            throw new ArgumentException($"The body of {payloads.Length} bytes has {payloads.Length + Overhead}, not {body.Length}.", nameof(body));
        if (_nextIv == ulong.MaxValue)
            throw new InvalidOperationException("All nonces of the key were used: rekey the IKE SA.");

        BinaryPrimitives.WriteUInt64BigEndian(body, _nextIv++);
        Span<byte> text = body[IvLength..^AeadSizes.Tag];
        payloads.CopyTo(text);
        text[^1] = 0;
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        MakeNonce(_sealSalt, body, nonce);
        AeadStatus status = _engine.Seal(_sealKey.Handle, nonce, text, text, body[^AeadSizes.Tag..], associatedData);
        if (status != AeadStatus.Success)
            throw new InvalidOperationException($"The AEAD engine could not seal an IKE message: {status}.");
    }

    /// <summary>Checks the ICV of a peer's payload and decrypts it. Nothing of the message may be believed before this is true.</summary>
    /// <param name="associatedData">As for <see cref="Seal"/>.</param>
    /// <param name="body">What followed the header: untrusted, of any length.</param>
    /// <param name="payloads">The inner payloads without padding; empty where the result is false.</param>
    /// <returns>False if the body is too short, the ICV is wrong, or the padding is longer than the text.</returns>
    public bool TryOpen(ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> body, out byte[] payloads)
    {
        payloads = [];
        if (body.Length < Overhead || associatedData.Length > ushort.MaxValue)
            return false;
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        MakeNonce(_openSalt, body, nonce);
        byte[] text = new byte[body.Length - IvLength - AeadSizes.Tag];
        if (_engine.Open(_openKey.Handle, nonce, body[IvLength..^AeadSizes.Tag], body[^AeadSizes.Tag..], text, associatedData) != AeadStatus.Success)
            return false;
        // RFC 7296 §3.14: the last byte says how much padding lies before it, whose content is the sender's choice.
        int length = text.Length - 1 - text[^1];
        if (length < 0)
            return false;
        payloads = text[..length];
        return true;
    }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        _sealKey.Dispose();
        _openKey.Dispose();
        _sealSalt.Dispose();
        _openSalt.Dispose();
    }

    private static (AeadKey Key, SecretBytes Salt) Expand(IkeCipher cipher, ReadOnlySpan<byte> keyAndSalt) =>
        (AeadKey.Create(cipher.Aead(), keyAndSalt[..^IkeCiphers.SaltLength]), new SecretBytes(keyAndSalt[^IkeCiphers.SaltLength..]));

    /// <summary>RFC 5282 §4: salt (4 bytes) | IV (8 bytes).</summary>
    private static void MakeNonce(SecretBytes salt, ReadOnlySpan<byte> body, Span<byte> nonce)
    {
        salt.Value.CopyTo(nonce);
        body[..IvLength].CopyTo(nonce[IkeCiphers.SaltLength..]);
    }
}
