using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>The key exchanges that follow a CREATE_CHILD_SA, by IKE_FOLLOWUP_KE (RFC 9370 §2.2.4): which comes next, and what those before have given.</summary>
internal sealed class FollowUpRounds(AdditionalKeyExchanges agreed) : IDisposable
{
    private readonly Queue<KeyExchangeMethod> _awaited = new(agreed.Rounds);
    private readonly List<SecretBytes> _secrets = [];

    /// <summary>The key exchange that comes next; <see cref="KeyExchangeMethod.None"/>: all are made.</summary>
    public KeyExchangeMethod Awaited => _awaited.TryPeek(out KeyExchangeMethod method) ? method : KeyExchangeMethod.None;

    /// <summary>SK(1) and those after it, in order.</summary>
    public IReadOnlyList<SecretBytes> Secrets => _secrets;

    /// <summary>The one that was awaited is made.</summary>
    public void Made(SecretBytes secret)
    {
        _awaited.Dequeue();
        _secrets.Add(secret);
    }

    /// <summary>Zeroes the secrets.</summary>
    public void Dispose()
    {
        foreach (SecretBytes secret in _secrets)
            secret.Dispose();
        _secrets.Clear();
    }
}
