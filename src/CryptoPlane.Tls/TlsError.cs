namespace CryptoPlane.Tls;

/// <summary>Whose doing a failed connection is. Misuse of the API is not among them: it is an exception.</summary>
public enum TlsErrorKind
{
    /// <summary>The peer broke the protocol.</summary>
    PeerMisbehaved,

    /// <summary>The peer keeps the protocol, but the two sides have nothing in common.</summary>
    PeerIncompatible,

    /// <summary>The peer's certificate was not accepted.</summary>
    CertificateRejected,

    /// <summary>The peer sent a fatal alert.</summary>
    PeerAlerted,

    /// <summary>This side could not go on: an unusable private key, for example.</summary>
    LocalFailure,
}

/// <summary>Why a connection failed: the alert that was sent (or received, for <see cref="TlsErrorKind.PeerAlerted"/>), and a sentence for logs.</summary>
public sealed class TlsError
{
    private TlsError(TlsErrorKind kind, TlsAlert alert, string message)
    {
        Kind = kind;
        Alert = alert;
        Message = message;
    }

    /// <summary>Whose doing it is.</summary>
    public TlsErrorKind Kind { get; }

    /// <summary>The alert that this side sent, or received if the peer alerted.</summary>
    public TlsAlert Alert { get; }

    /// <summary>A sentence for logs; it holds no secret and nothing that the peer chose.</summary>
    public string Message { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} ({Alert}): {Message}";

    internal static TlsError Misbehaved(TlsAlert alert, string message) => new(TlsErrorKind.PeerMisbehaved, alert, message);

    internal static TlsError Incompatible(TlsAlert alert, string message) => new(TlsErrorKind.PeerIncompatible, alert, message);

    internal static TlsError Rejected(TlsAlert alert, string message) => new(TlsErrorKind.CertificateRejected, alert, message);

    internal static TlsError Alerted(TlsAlert alert) => new(TlsErrorKind.PeerAlerted, alert, $"The peer ended the connection with the alert {alert}.");

    internal static TlsError Local(string message) => new(TlsErrorKind.LocalFailure, TlsAlert.InternalError, message);

    /// <summary>RFC 8446 §6.2: a message that does not follow the syntax.</summary>
    internal static TlsError Decode(string message) => Misbehaved(TlsAlert.DecodeError, message);

    /// <summary>RFC 8446 §6.2: a message that follows the syntax, but whose values are wrong.</summary>
    internal static TlsError Illegal(string message) => Misbehaved(TlsAlert.IllegalParameter, message);

    /// <summary>RFC 8446 §6.2: a message at the wrong time.</summary>
    internal static TlsError Unexpected(string message) => Misbehaved(TlsAlert.UnexpectedMessage, message);
}
