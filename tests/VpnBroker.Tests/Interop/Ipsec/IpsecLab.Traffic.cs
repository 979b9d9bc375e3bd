using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>What is sent through the laboratory, and who of those on the way lost what.</summary>
internal sealed partial class IpsecLab
{
    /// <summary>IKE SAs that the broker has made again.</summary>
    public int IkeSasRekeyed => Count("(rekeyed)");

    /// <summary>Packets that the broker has dropped, by reason.</summary>
    public Dictionary<string, long> Drops()
    {
        var drops = new Dictionary<string, long>();
        Gather(Broker.Status());
        return drops;

        void Gather(JsonElement element)
        {
            if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in element.EnumerateArray())
                    Gather(item);
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    if (property.Name != "drops" || property.Value.ValueKind != JsonValueKind.Object)
                        Gather(property.Value);
                    else
                        foreach (JsonProperty drop in property.Value.EnumerateObject())
                            drops[drop.Name] = drops.GetValueOrDefault(drop.Name) + drop.Value.GetInt64();
                }
            }
        }
    }

    /// <summary>The tunnels that share prefixes, by their names, with their weights and parts of new flows.</summary>
    public (string Tunnel, int Weight, double Share)[] Shares =>
    [
        .. Broker.Status().GetProperty("peerShares").EnumerateArray()
            .Select(share => (share.GetProperty("tunnel").GetString()!, share.GetProperty("weight").GetInt32(), share.GetProperty("share").GetDouble()))
            .OrderBy(share => share.Item1, StringComparer.Ordinal),
    ];

    /// <summary>Runs a program of Python's in the broker's place.</summary>
    public ExternalProgram StartPython(string program) => _brokerPlace.Start(Requirement.Program("/usr/bin/python3", "python3"), ["-u", "-c", program]);

    /// <summary>Packets that the kernels of both ends had no room for, in their sockets and in the queues of their TUN interfaces.</summary>
    public long QueueDrops => Queues(_brokerPlace) + Queues(_gateways[0].Place);

    /// <summary>Starts iperf3 with UDP between the broker's TUN interface and gateway 1.</summary>
    public Iperf StartIperf(int port, params string[] arguments) => new(_brokerPlace, _gateways[0].Place, port, arguments);

    /// <summary>Loads a file from behind gateway 1 by TCP and compares it.</summary>
    public void Download(int bytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(bytes);
        using TemporaryDirectory web = new();
        File.WriteAllBytes(web.File("file"), content);
        using ExternalProgram server = _gateways[0].Place.Start(
            Requirement.Program("/usr/bin/python3", "python3"), ["-u", "-m", "http.server", "80", "--bind", GatewayInside, "--directory", web.Path]);
        server.WaitForOutput("Serving HTTP");
        _brokerPlace.Run(Requirement.Program("curl"), ["-sS", "--fail", "--max-time", "60", "--interface", BrokerInside, "-o", _here.File("file"), $"http://{GatewayInside}/file"],
            timeout: TimeSpan.FromSeconds(90)).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(_here.File("file"))), "the file came as it was sent");
    }

    /// <summary>What a counter of the router's rules has counted.</summary>
    public long Counted(string counter) =>
        long.Parse(CounterLine().Match(_router.Run("nft", ["list", "counter", "ip", "lab", counter]).EnsureSuccess().Output).Groups[1].Value, CultureInfo.InvariantCulture);

    private static long Queues(NetworkNamespace place)
    {
        string text = place.Run("/bin/cat", ["/proc/net/snmp", "/proc/net/dev"]).EnsureSuccess().Output;
        // Two lines "Udp:", of names and of values; a line for each device, with four sorts of received packets and four of sent ones.
        string[][] udp = [.. text.Split('\n').Where(line => line.StartsWith("Udp:", StringComparison.Ordinal)).Select(line => line.Split(' '))];
        long sockets = new[] { "RcvbufErrors", "SndbufErrors" }.Sum(name => Number(udp[1][Array.IndexOf(udp[0], name)]));
        return sockets + text.Split('\n').Select(line => line.Split((char[])[' ', ':'], StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields is ["tun0" or "ipsec0", ..]).Sum(fields => Number(fields[4]) + Number(fields[12]));

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"packets (\d+)")]
    private static partial Regex CounterLine();
}
