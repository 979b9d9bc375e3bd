using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>iperf3 with UDP through the tunnel, with a server behind the gateway.</summary>
internal sealed class Iperf : IDisposable
{
    private readonly ExternalProgram _server, _client;

    public Iperf(NetworkNamespace client, NetworkNamespace server, int port, string[] arguments)
    {
        string program = Requirement.Program("iperf3");
        _server = server.Start(program, ["--server", "--one-off", "--forceflush", "--bind", IpsecLab.GatewayInside, "--port", $"{port}"]);
        _server.WaitForOutput("Server listening");
        _client = client.Start(program, ["--client", IpsecLab.GatewayInside, "--bind", IpsecLab.BrokerInside, "--port", $"{port}", "--udp", "--json", .. arguments]);
    }

    /// <summary>Waits for the end.</summary>
    /// <returns>Datagrams sent, and those of them that the receiver missed.</returns>
    public (long Sent, long Lost) Datagrams()
    {
        ProgramResult result = _client.WaitForExit(TimeSpan.FromSeconds(90)).EnsureSuccess();
        JsonElement sum = JsonDocument.Parse(result.Output).RootElement.GetProperty("end").GetProperty("sum");
        return (sum.GetProperty("packets").GetInt64(), sum.GetProperty("lost_packets").GetInt64());
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
