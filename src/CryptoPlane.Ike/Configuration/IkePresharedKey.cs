using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike;

/// <summary>
/// A secret that both sides were given (RFC 7296 §2.15). It is the owner's to dispose of, when no endpoint uses it any more.
/// </summary>
public sealed class IkePresharedKey : IkeAuthentication, IDisposable
{
    /// <summary>
    /// Fewest bytes that are taken: RFC 7296 §2.15 wants as much unpredictability as the strongest key that is negotiated.
    /// </summary>
    public const int MinSize = 16;

    private readonly SecretBytes _secret;

    /// <summary>Takes a copy of a secret; the caller zeroes its own.</summary>
    /// <param name="secret">
    /// At least <see cref="MinSize"/> bytes that nobody can guess: somebody who pretends to be the responder may try them offline.
    /// </param>
    /// <exception cref="ArgumentException">The secret is too short.</exception>
    public IkePresharedKey(ReadOnlySpan<byte> secret)
    {
        if (secret.Length < MinSize)
            throw new ArgumentException($"A pre-shared key has at least {MinSize} bytes: whoever it is used with may try shorter ones offline.", nameof(secret));
        _secret = new SecretBytes(secret);
    }

    /// <summary>The secret.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed of.</exception>
    internal SecretBytes Secret => _secret;

    /// <summary>Zeroes the secret.</summary>
    public void Dispose() => _secret.Dispose();
}
