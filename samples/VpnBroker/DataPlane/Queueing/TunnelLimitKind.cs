namespace VpnBroker.DataPlane.Queueing;

/// <summary>Which of a tunnel's limits.</summary>
internal enum TunnelLimitKind
{
    /// <inheritdoc cref="TunnelLimits.SendShape"/>
    SendShape,

    /// <inheritdoc cref="TunnelLimits.SendPolice"/>
    SendPolice,

    /// <inheritdoc cref="TunnelLimits.ReceiveShape"/>
    ReceiveShape,

    /// <inheritdoc cref="TunnelLimits.ReceivePolice"/>
    ReceivePolice,
}
