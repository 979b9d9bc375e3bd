using System.Globalization;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>A strongSwan gateway of <see cref="IpsecLab"/>, which can be killed and started again.</summary>
internal sealed class Gateway : IDisposable
{
    private readonly string _configuration;
    private StrongSwan? _swan;
    private string _earlier = "";

    public Gateway(NetworkNamespace router, int number, string configuration)
    {
        Name = $"gw{number}";
        Place = new NetworkNamespace(Name);
        _configuration = configuration;
        router.Connect(Place, Name, $"10.98.{number}.254/24", "eth0", $"10.98.{number}.2/24");
        Place.Ip($"route add default via 10.98.{number}.254");
        Place.AddAddress("lo", $"{IpsecLab.GatewayInside}/32");
    }

    public string Name { get; }

    public NetworkNamespace Place { get; }

    public string Log => _earlier + _swan?.Log;

    /// <summary>The IKE SAs that it has.</summary>
    public int IkeSas => _swan!.Swanctl("--list-sas").Split("ESTABLISHED").Length - 1;

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

    public void Start() => _swan = new StrongSwan(Place, _configuration);

    public string Swanctl(params string[] arguments) => _swan!.Swanctl(arguments);

    /// <summary>Kills it, so that the broker hears nothing of it.</summary>
    public void Kill()
    {
        _swan!.Kill();
        _earlier += _swan.Log + "--- killed\n";
        _swan.Dispose();
        _swan = null;
    }

    public void Dispose()
    {
        _swan?.Dispose();
        Place.Dispose();
    }
}
