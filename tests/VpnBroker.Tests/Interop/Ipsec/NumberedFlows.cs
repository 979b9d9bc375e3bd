using System.Globalization;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>
/// UDP flows from the broker's TUN interface to the address that is behind every gateway: each datagram has its number, and each answer says which
/// gateway gave it.
/// </summary>
internal sealed class NumberedFlows : IDisposable
{
    /// <summary>How many flows.</summary>
    public const int Count = 64;

    private readonly List<ExternalProgram> _servers = [];
    private readonly ExternalProgram _client;

    /// <summary>Begins to send: a datagram of each flow ten times a second.</summary>
    public NumberedFlows(IpsecLab lab)
    {
        foreach (Gateway gateway in lab.Gateways)
        {
            _servers.Add(gateway.Place.Start(Requirement.Program("/usr/bin/python3", "python3"), ["-u", "-c", $"""
                import socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("{IpsecLab.GatewayInside}", 7777))
                print("ready")
                while True:
                    data, sender = s.recvfrom(2000)
                    s.sendto(data + b" {gateway.Name}", sender)
                """]));
        }
        _servers.ForEach(server => server.WaitForOutput("ready"));
        _client = lab.StartPython($$"""
            import select, socket, time
            flows = {}
            for i in range({{Count}}):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.bind(("{{IpsecLab.BrokerInside}}", 6000 + i))
                flows[s] = i
            for number in range(100000):
                for s in flows:
                    try:
                        s.sendto(b"%d" % number, ("{{IpsecLab.GatewayInside}}", 7777))
                    except OSError:
                        pass
                end = time.monotonic() + 0.1
                while (left := end - time.monotonic()) > 0:
                    for s in select.select(list(flows), [], [], left)[0]:
                        try:
                            print("answer", flows[s], s.recv(2000).decode())
                        except OSError:
                            pass
            """);
    }

    /// <summary>The answers to each flow, as they came: the number, and the gateway.</summary>
    public Dictionary<int, List<(int Number, string Gateway)>> Answers
    {
        get
        {
            var answers = new Dictionary<int, List<(int, string)>>();
            foreach (string line in _client.AllOutput.Split('\n'))
            {
                // The last line may not be whole yet.
                if (line.Split(' ') is not ["answer", string flow, string number, { Length: 3 } gateway])
                    continue;
                int index = int.Parse(flow, CultureInfo.InvariantCulture);
                if (!answers.TryGetValue(index, out List<(int, string)>? list))
                    answers.Add(index, list = []);
                list.Add((int.Parse(number, CultureInfo.InvariantCulture), gateway));
            }
            return answers;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _servers.ForEach(server => server.Dispose());
    }
}
