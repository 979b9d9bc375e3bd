using VpnBroker.DataPlane.Pipeline;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>One line of figures, in nanoseconds of CPU time per packet.</summary>
/// <param name="Wire">What carried the packets.</param>
/// <param name="Bytes">Bytes of an inner packet.</param>
/// <param name="Tunnels">Tunnels on either side.</param>
/// <param name="Burst">Packets of a turn.</param>
/// <param name="Total">From port to port.</param>
/// <param name="Aead">Opening and sealing alone, with as many keys.</param>
/// <param name="Shares">By stage: its part of the lcore's time.</param>
internal sealed record SwitchFigure(string Wire, int Bytes, int Tunnels, int Burst, double Total, double Aead, IReadOnlyList<double> Shares)
{
    /// <summary>With 100 tunnels, by turns with this; null where they were not measured together.</summary>
    public double? TotalOfHundred { get; init; }

    public double MillionPacketsPerSecond => 1e3 / Total;

    /// <summary>Of inner packets, as VPP's figures are.</summary>
    public double GigabitsPerSecond => Bytes * 8 / Total;

    public double Share(Stage stage) => Shares[(int)stage];
}
