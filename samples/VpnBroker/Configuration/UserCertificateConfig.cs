namespace VpnBroker.Configuration;

/// <summary>How users of openconnect log in by certificate (<c>authentication.certificates</c>).</summary>
public sealed record UserCertificateConfig
{
    /// <summary>PEM files with the roots of users' certificates; at least one.</summary>
    public required IReadOnlyList<string> TrustFiles { get; init; }

    /// <summary>Whether a certificate is enough, and others log in by password; else it takes both, of one user.</summary>
    public bool InsteadOfPassword { get; init; }
}
