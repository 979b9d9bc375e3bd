using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Capture;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Tests.Control;

public sealed class ControlServerTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeBroker _broker = new();
    private string _path = "";
    private ControlServer? _server;

    public ValueTask InitializeAsync()
    {
        _path = _directory.File("run/broker.sock");
        _server = ControlServer.Start(_path, _broker, NullLogger.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        Assert.False(File.Exists(_path));
        _directory.Dispose();
    }

    [Fact]
    public void Only_the_owner_may_open_the_socket() =>
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));

    [Fact]
    public void Only_root_and_the_brokers_own_user_are_answered()
    {
        Assert.True(ControlServer.IsAllowed(0));
        Assert.False(ControlServer.IsAllowed(65534));
    }

    [Fact]
    public void Another_user_gets_nothing_even_when_the_mode_lets_them_in()
    {
        Requirement.Root();
        string python = Requirement.Program("/usr/bin/python3", "python3");
        const UnixFileMode everyone = (UnixFileMode)0x1ff;
        File.SetUnixFileMode(_path, everyone);
        File.SetUnixFileMode(Path.GetDirectoryName(_path)!, everyone);
        File.SetUnixFileMode(_directory.Path, everyone);
        string script = $"""
            import os, socket
            os.setgid(65534); os.setuid(65534)
            s = socket.socket(socket.AF_UNIX); s.connect('{_path}')
            try:
                s.sendall(b'{"{"}"command":"status"{"}"}\n'); print('got', len(s.recv(1000)))
            except OSError:
                print('got 0')
            """;
        Assert.Equal("got 0", ExternalProgram.Run(python, ["-c", script]).EnsureSuccess().Output.Trim());
        Assert.Equal(0, _broker.StatusRequests);
    }

    [Fact]
    public void Status_disconnect_and_reload_reach_the_broker()
    {
        Assert.Equal(3, ControlClient.Send(_path, new ControlRequest("status")).Status!.Sessions);
        Assert.Contains("2 session(s)", ControlClient.Send(_path, new ControlRequest("disconnect", "alice")).Message, StringComparison.Ordinal);
        Assert.Contains("has no session", ControlClient.Send(_path, new ControlRequest("disconnect", "bob")).Error, StringComparison.Ordinal);
        Assert.Null(ControlClient.Send(_path, new ControlRequest("reload")).Error);
        _broker.ReloadError = "line 3 is wrong";
        Assert.Equal("line 3 is wrong", ControlClient.Send(_path, new ControlRequest("reload")).Error);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("nonsense\n")]
    [InlineData("{\"command\":\"shutdown\"}\n")]
    [InlineData("{\"command\":\"disconnect\"}\n")]
    [InlineData("[[[[[[[[\n")]
    [InlineData("{\"command\":5}\n")]
    [InlineData("{\"command\":\"capture\"}\n")]
    [InlineData("{\"command\":\"capture\",\"capture\":7}\n")]
    [InlineData("{\"command\":\"capture\",\"capture\":{\"seconds\":1e99}}\n")]
    public void Other_requests_get_an_error(string line)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(_path));
        socket.Send(Encoding.UTF8.GetBytes(line));
        byte[] buffer = new byte[4096];
        Assert.Contains("send one line of JSON", Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mutated_capture_request_gets_one_line_and_its_end()
    {
        byte[] request = Encoding.UTF8.GetBytes("{\"command\":\"capture\",\"capture\":{\"ports\":[\"a\",null],\"inner\":true,\"lcore\":1,\"filter\":\"port 1\",\"snap\":60,\"bytes\":7}}\n");
        var random = new Random(8);
        byte[] answer = new byte[4096];
        int refused = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] mutated = [.. request];
            for (int change = random.Next(0, 3); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(_path));
            socket.Send(mutated);
            socket.Shutdown(SocketShutdown.Send);
            int length = 0;
            for (int count = socket.Receive(answer); count > 0; count = socket.Receive(answer.AsSpan(length)))
                length += count;
            string line = Encoding.UTF8.GetString(answer, 0, length);
            Assert.StartsWith("{\"error\":\"", line, StringComparison.Ordinal);
            Assert.Equal(length - 1, line.IndexOf('\n', StringComparison.Ordinal));
            refused += line.Contains("not today", StringComparison.Ordinal) ? 1 : 0;
        }
        Assert.InRange(refused, 300, 900);
    }

    [Fact]
    public void A_refused_capture_is_told() =>
        Assert.Equal("not today", Assert.Throws<CaptureRefusedException>(() => ControlClient.OpenCapture(_path, new CaptureRequest(All: true))).Message);

    [Fact]
    public async Task A_second_broker_is_refused_and_a_socket_left_behind_is_replaced()
    {
        Assert.Contains("another broker is running", Assert.Throws<ControlSocketException>(() => ControlServer.Start(_path, _broker, NullLogger.Instance)).Message, StringComparison.Ordinal);
        string stale = _directory.File("stale.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            socket.Bind(new UnixDomainSocketEndPoint(stale));
        File.WriteAllText(stale, "");
        ControlServer server = ControlServer.Start(stale, _broker, NullLogger.Instance);
        Assert.NotNull(ControlClient.Send(stale, new ControlRequest("status")).Status);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Commands_for_ipsec_peers_are_passed_on_and_answered()
    {
        await using ControlServer server = ControlServer.Start(_directory.File("ipsec.sock"), _broker, NullLogger.Instance);
        Assert.Equal("dc gets new keys", ControlClient.Send(_directory.File("ipsec.sock"), new ControlRequest("ipsec-rekey", Peer: "dc", IkeSa: true)).Message);
        Assert.Equal("no RekeyChildren of dc", ControlClient.Send(_directory.File("ipsec.sock"), new ControlRequest("ipsec-rekey", Peer: "dc")).Error);
        Assert.Equal("no Up of x", ControlClient.Send(_directory.File("ipsec.sock"), new ControlRequest("ipsec-up", Peer: "x")).Error);
        Assert.Equal("no Down of x", ControlClient.Send(_directory.File("ipsec.sock"), new ControlRequest("ipsec-down", Peer: "x")).Error);
    }

    [Fact]
    public async Task Flows_come_with_their_numbers_or_with_what_is_wrong()
    {
        await using ControlServer server = ControlServer.Start(_directory.File("flows.sock"), _broker, NullLogger.Instance);
        FlowsReport flows = ControlClient.Send(_directory.File("flows.sock"), new ControlRequest("flows", Flows: new FlowsRequest(User: "alice"))).Flows!;
        Assert.Equal(VpnBroker.Tests.Status.FlowSamples.Report().Flows[0], flows.Flows[0]);
        Assert.Equal("no port", ControlClient.Send(_directory.File("flows.sock"), new ControlRequest("flows", Flows: new FlowsRequest(Port: 0))).Error);
    }

    [Fact]
    public void A_client_without_a_broker_is_told_so() =>
        Assert.Contains("no broker answers", Assert.Throws<ControlSocketException>(() => ControlClient.Send(_directory.File("none"), new ControlRequest("status"))).Message, StringComparison.Ordinal);

    private sealed class FakeBroker : IBrokerControl
    {
        public int StatusRequests { get; private set; }

        public string? ReloadError { get; set; }

        public Task<StatusReport> GetStatusAsync(bool users)
        {
            StatusRequests++;
            return Task.FromResult(StatusSamples.Report(sessions: 3));
        }

        public Task<FlowsReport> GetFlowsAsync(FlowsRequest request) => request.Port == 0 ? throw new FormatException("no port") : Task.FromResult(VpnBroker.Tests.Status.FlowSamples.Report());

        public int Disconnect(string user) => user == "alice" ? 2 : 0;

        public Task<string?> ReloadAsync() => Task.FromResult(ReloadError);

        public Task<string?> CommandIpsecAsync(IpsecCommand command, string peer) =>
            Task.FromResult(peer == "dc" && command == IpsecCommand.RekeyIke ? null : $"no {command} of {peer}");

        public Task<StartedCapture> StartCaptureAsync(CaptureRequest request, ControlPeer peer) => throw new CaptureRefusedException("not today");
    }
}
