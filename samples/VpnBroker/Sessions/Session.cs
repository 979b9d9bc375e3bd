using System.Net;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.OpenConnect.Strap;

namespace VpnBroker.Sessions;

/// <summary>
/// A user who has logged in. The session outlives its connections: its cookie brings the same addresses back on a reconnect.
/// </summary>
/// <remarks>Fields change under the session table's lock only. A session is one object with its lease: few for the GC to walk.</remarks>
public sealed class Session
{
    internal Session(ulong id, string user, string? group, IPEndPoint remote, DateTimeOffset now)
    {
        Id = id;
        User = user;
        Group = group;
        Remote = remote;
        LoginAddress = remote.Address;
        Created = now;
        Detached = now;
    }

    /// <summary>Names the session in logs; never used twice in a process.</summary>
    public ulong Id { get; }

    /// <summary>The user's name.</summary>
    public string User { get; }

    /// <summary>The group whose profile counts, or null for the defaults.</summary>
    public string? Group { get; }

    /// <summary>All groups of the user at the log-in, for the policy's rules.</summary>
    public IReadOnlyList<string> Groups { get; internal set; } = [];

    /// <summary>Where the user logged in from: without roaming and without a key, the cookie is worth nothing elsewhere.</summary>
    public IPAddress LoginAddress { get; }

    /// <summary>Where the client connected from last.</summary>
    public IPEndPoint Remote { get; internal set; }

    /// <summary>When the user logged in.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>The inner addresses, from the first tunnel on.</summary>
    public AddressLease? Lease { get; internal set; }

    /// <summary>The tunnel that the session has now; 0 for none.</summary>
    public ulong TunnelId { get; internal set; }

    /// <summary>The key that must sign each CONNECT with the cookie; null when the client named none at the log-in.</summary>
    public StrapKey? StrapKey { get; internal set; }

    /// <summary>SHA-256 of the certificate that the client showed at the log-in, which every connection with the cookie must show; null for none.</summary>
    public byte[]? CertificateDigest { get; internal set; }

    /// <summary>Whether it is a session of IKEv2, whose tunnel is ESP's; else openconnect's.</summary>
    public bool IsIke => Terminate is not null;

    /// <summary>Ends the tunnel of a session of IKEv2, which <see cref="SessionTable.Closed"/> reports then; it must not block.</summary>
    internal Action<Session, TunnelEndReason>? Terminate { get; init; }

    /// <summary>What the client's data channel begins with; null where none was offered.</summary>
    internal DtlsCredential? Dtls { get; set; }

    internal CookieHash Cookie { get; set; }

    /// <summary>Since when the session has no tunnel.</summary>
    internal DateTimeOffset Detached { get; set; }

    /// <summary>Absolute end; the profile's at log-in.</summary>
    internal DateTimeOffset Expires { get; set; }

    /// <summary>How long the session waits for a reconnect.</summary>
    internal TimeSpan ReconnectTime { get; set; }

    /// <summary>Set when the session has ended and only waits for its tunnel to be gone.</summary>
    internal bool Ended { get; set; }

    /// <summary>The user's next session, older or newer: a list without list objects.</summary>
    internal Session? NextOfUser { get; set; }
}
