using System.Globalization;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>A strongSwan gateway of <see cref="IpsecLab"/>, which can be killed and started again.</summary>
internal sealed partial class Gateway : IDisposable
{
    private readonly string _configuration, _settings;
    private StrongSwan? _swan;

    /// <param name="router">What leads to it.</param>
    /// <param name="number">Which one it is, from 1.</param>
    /// <param name="configuration">swanctl.conf.</param>
    /// <param name="settings">Further settings of the daemon.</param>
    public Gateway(NetworkNamespace router, int number, string configuration, string settings)
    {
        Name = $"gw{number}";
        Place = new NetworkNamespace(Name);
        (_configuration, _settings) = (configuration, settings);
        router.Connect(Place, Name, $"10.98.{number}.254/24", "eth0", $"10.98.{number}.2/24");
        Place.Ip($"route add default via 10.98.{number}.254");
        Place.AddAddress("lo", $"{IpsecLab.GatewayInside}/32");
    }

    public string Name { get; }

    public NetworkNamespace Place { get; }

    public string Log => _swan?.Log ?? "";

    /// <summary>The IKE SAs that it has.</summary>
    public int IkeSas => CountOfSas("ESTABLISHED");

    /// <summary>The pairs of ESP SAs that it has.</summary>
    public int ChildSas => CountOfSas("INSTALLED");

    /// <summary>
    /// Packets that it has dropped, by its own words: where it replaces an SA, it takes the old one away before the new one is in place, and may see a
    /// packet come in on the new one before it has made it.
    /// </summary>
    public int EspDrops => EspDrop().Count(Log);

    /// <summary>Pings that have come to it.</summary>
    public long Pings
    {
        get
        {
            // The first line of "Icmp:" in the file names the columns, the second has the values.
            string[][] lines = [.. Place.Run("/bin/cat", ["/proc/net/snmp"]).Output.Split('\n').Where(line => line.StartsWith("Icmp:", StringComparison.Ordinal)).Select(line => line.Split(' '))];
            return long.Parse(lines[1][Array.IndexOf(lines[0], "InEchos")], CultureInfo.InvariantCulture);
        }
    }

    public void Start()
    {
        if (_swan is null)
            _swan = new StrongSwan(Place, _configuration, settings: _settings, logsDrops: true);
        else
            _swan.Start();
    }

    public string Swanctl(params string[] arguments) => _swan!.Swanctl(arguments);

    /// <summary>Kills it, so that the broker hears nothing of it.</summary>
    public void Kill() => _swan!.Kill();

    [GeneratedRegex(@"\[ESP\].*(could not find an outbound IPsec SA|no matching outbound IPsec policy|does not belong to an installed SA|due to policy|failed)")]
    private static partial Regex EspDrop();

    private int CountOfSas(string state) => _swan!.Swanctl("--list-sas").Split(state).Length - 1;

    public void Dispose()
    {
        _swan?.Dispose();
        Place.Dispose();
    }
}
