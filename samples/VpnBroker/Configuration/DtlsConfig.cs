namespace VpnBroker.Configuration;

/// <summary>The section <c>dtls</c>: users' data channel over UDP.</summary>
public sealed record DtlsConfig
{
    /// <summary>Whether clients are offered one. They use TLS alone where UDP does not come through.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The UDP port; null for the port of each endpoint of <c>listen</c>.</summary>
    public int? Port { get; init; }
}
