using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Connections that move between control threads, and what the key log tells of them.</summary>
public sealed class ControlThreadTests
{
    [Fact]
    public void Every_call_may_be_on_another_thread()
    {
        using var pair = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions());
        byte[] toServer = [], toClient = [];
        for (int round = 0; round < 3; round++)
        {
            OnAnotherThread(() => ScriptedPeer.Drive(pair.Client, toClient, out toServer));
            OnAnotherThread(() => ScriptedPeer.Drive(pair.Server, toServer, out toClient));
        }
        Assert.True(pair.Client.IsHandshakeComplete);
        Assert.True(pair.Server.IsHandshakeComplete);
        for (int round = 0; round < 5; round++)
        {
            byte[] wire = new byte[100];
            int length = 0;
            OnAnotherThread(() => pair.Client.UpdateKeys(requestPeer: true));
            OnAnotherThread(() => pair.Client.Write("ping"u8, wire, out _, out length));
            OnAnotherThread(() => Assert.Equal("ping"u8.ToArray(), TlsPair.Receive(pair.Server, wire.AsSpan(0, length), out _)));
            OnAnotherThread(() => Assert.Equal("pong"u8.ToArray(), TlsPair.Send(pair.Server, pair.Client, "pong"u8)));
        }
    }

    [Fact]
    public void Secrets_are_logged_for_those_who_opted_in_twice_only()
    {
        string? before = Environment.GetEnvironmentVariable(TlsOptions.KeyLogVariable);
        using var directory = new TemporaryDirectory();
        string path = Path.Combine(directory.Path, "keys.log");
        Environment.SetEnvironmentVariable(TlsOptions.KeyLogVariable, path);
        try
        {
            using (var silent = new TlsPair(TlsPair.ClientOptions(), TlsPair.ServerOptions()))
                silent.Run();
            Assert.False(File.Exists(path));

            var options = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], EnableKeyLog = true };
            using var logged = new TlsPair(options, TlsPair.ServerOptions());
            byte[] hello = [];
            logged.OnClientBytes = bytes => hello.Length == 0 ? hello = bytes : bytes;
            logged.Run();
            Assert.Equal(TlsStatus.Complete, logged.ClientStatus);

            // The first handshake message in its record: type, length, version, and then the random.
            string random = Convert.ToHexStringLower(hello.AsSpan(5 + 4 + 2, 32));
            string[] lines = File.ReadAllLines(path);
            Assert.Equal(
                ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"],
                lines.Select(line => line.Split(' ')[0]));
            Assert.All(lines, line => Assert.Equal(random, line.Split(' ')[1]));
            Assert.All(lines, line => Assert.Equal(64, line.Split(' ')[2].Length));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
        finally
        {
            Environment.SetEnvironmentVariable(TlsOptions.KeyLogVariable, before);
        }
    }

    private static void OnAnotherThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private static Exception? Record(Action action) => Xunit.Record.Exception(action);
}
