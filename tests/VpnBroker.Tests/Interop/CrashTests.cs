using System.Globalization;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>
/// kill -9 under load, again and again: every ESP packet that ever left is kept, and no initialisation vector is among them twice.
/// </summary>
public sealed class CrashTests
{
    private const int Runs = 6;

    /// <summary>Prints SPI, sequence number and IV (RFC 4303 §2, RFC 4106 §3.1) of each datagram.</summary>
    private const string Receiver = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        s.bind(('10.98.0.2', 4500))
        print('ready', flush=True)
        while True:
            sys.stdout.write(s.recv(65536)[:16].hex() + '\n')
            sys.stdout.flush()
        """;

    private const string Sender = """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while True:
            try: s.sendto(b'x' * 100, ('10.30.0.1', 9))
            except OSError: pass
        """;

    [Fact]
    public void Kill_9_never_repeats_an_initialisation_vector()
    {
        string python = Requirement.Program("/usr/bin/python3", "python3");
        Requirement.Tun();
        using var directory = new TemporaryDirectory();
        using var gateway = new NetworkNamespace("gateway");
        using var peer = new NetworkNamespace("peer");
        gateway.Connect(peer, "v0", "10.98.0.1/24", "v1", "10.98.0.2/24");
        File.WriteAllText(directory.File("broker.yaml"), """
            lcores: {count: 1}
            tun: {name: broker0, addresses: [10.31.0.1/24], kernelRoutes: [10.30.0.0/16]}
            esp:
              insecureStaticKeys: true
              stateFile: esp-state
              reserveBlock: 1024
              tunnels:
                - name: peer
                  mode: udp
                  local: 10.98.0.1:4500
                  remote: 10.98.0.2:4500
                  remotePrefixes: [10.30.0.0/16]
                  pairs:
                    - lcore: 0
                      inbound: {spi: 0x01000001, key: 000102030405060708090a0b0c0d0e0f, salt: 10111213}
                      outbound: {spi: 0x01000002, key: 202122232425262728292a2b2c2d2e2f, salt: 30313233}
            control: {socket: b.sock}
            """);
        BrokerProcess.Run(directory, "esp init-state").EnsureSuccess();
        using ExternalProgram receiver = peer.Start(python, ["-c", Receiver]);
        receiver.WaitForOutput("ready");

        var random = new Random(29);
        for (int run = 0; run < Runs; run++)
        {
            int before = receiver.Output.Length;
            using BrokerProcess broker = BrokerProcess.Start(gateway, directory);
            using ExternalProgram sender = gateway.Start(python, ["-c", Sender]);
            // At least one block further than the two that a start reserves, and then at no special moment.
            int packets = 2500 + random.Next(3000);
            Eventually.True(() => receiver.Output.Length - before > packets * 33, $"{packets} packets in run {run}", TimeSpan.FromSeconds(60));
            broker.Program.Signal(ExternalProgram.SigKill);
            broker.Program.WaitForExit();
        }

        string[] packetsSeen = [.. receiver.Output.Split('\n').Where(line => line.Length == 32)];
        Assert.True(packetsSeen.Length > Runs * 2500);
        Assert.All(packetsSeen, packet => Assert.StartsWith("01000002", packet, StringComparison.Ordinal));
        Assert.Equal(packetsSeen.Length, packetsSeen.Select(packet => packet[16..]).Distinct().Count());
        ulong last = packetsSeen.Max(packet => ulong.Parse(packet.AsSpan(8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.True(last > Runs * 2048, "each run began behind the blocks of the runs before");
    }

    [Fact]
    public void A_missing_state_file_keeps_the_broker_from_starting()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("broker.yaml"), """
            lcores: {count: 1}
            esp:
              insecureStaticKeys: true
              stateFile: esp-state
              tunnels:
                - {name: peer, mode: udp, local: "127.0.0.1:4500", remote: "127.0.0.1:4501", remotePrefixes: [10.30.0.0/16], pairs: [{lcore: 0,
                   inbound: {spi: 0x01000001, key: 000102030405060708090a0b0c0d0e0f, salt: 10111213},
                   outbound: {spi: 0x01000002, key: 202122232425262728292a2b2c2d2e2f, salt: 30313233}}]}
            control: {socket: b.sock}
            """);
        ProgramResult result = BrokerProcess.Run(directory, "run");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("broker esp init-state", result.Error, StringComparison.Ordinal);
    }
}
