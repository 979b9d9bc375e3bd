using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec.Users;

/// <summary>A remote user's device with strongSwan as its IKEv2 client, in a namespace of its own.</summary>
internal sealed class UserClient : IDisposable
{
    /// <summary>Connects the device to the broker's place and starts the client; nobody logs in yet.</summary>
    /// <param name="broker">The broker's place.</param>
    /// <param name="number">Whose address is 10.98.N.2.</param>
    /// <param name="local">How the user shows who it is: lines of the section <c>local</c>.</param>
    /// <param name="secrets">The section <c>secrets</c>.</param>
    /// <param name="credentials">Writes certificates.</param>
    /// <param name="connection">Further lines of the connection.</param>
    /// <param name="child">Further lines of its child.</param>
    public UserClient(NetworkNamespace broker, int number, string local, string secrets, Action<string> credentials, string connection = "", string child = "")
    {
        Number = number;
        Place = new NetworkNamespace($"device{number}");
        broker.Connect(Place, $"dev{number}", $"10.98.{number}.1/24", "eth0", $"10.98.{number}.2/24");
        // No way to the networks behind the broker but the tunnel.
        Place.Ip($"route add 10.99.0.1 via 10.98.{number}.1");
        Swan = new StrongSwan(Place, $$"""
            connections { broker {
              version = 2
              local_addrs = %any
              remote_addrs = 10.99.0.1
              encap = yes
              vips = 0.0.0.0
              proposals = aes256gcm16-prfsha384-x25519
              {{connection}}
              local { {{local}} }
              remote { auth = pubkey
                id = broker.test }
              children { net {
                remote_ts = 0.0.0.0/0
                esp_proposals = aes256gcm16
                {{child}} } } } }
            secrets { {{secrets}} }
            """, credentials);
    }

    public int Number { get; }

    public NetworkNamespace Place { get; }

    public StrongSwan Swan { get; }

    /// <summary>A client that logs in by name and password.</summary>
    public static UserClient ByPassword(
        NetworkNamespace broker, int number, string user, string password, Action<string> credentials, string connection = "", string child = "") => new(
        broker, number, $"auth = eap-mschapv2\n id = device{number}.test\n eap_id = {user}", $"eap-user {{ id = {user}\n secret = \"{password}\" }}", credentials, connection, child);

    /// <summary>Logs in.</summary>
    /// <returns>Whether there is a tunnel.</returns>
    public bool LogIn() => Swan.TrySwanctl("--initiate", "--child", "net", "--timeout", "15").ExitCode == 0;

    /// <summary>Kills the client, so that the broker hears nothing of it, and starts another.</summary>
    public void Restart()
    {
        Swan.Kill();
        Swan.Start();
    }

    /// <summary>Whether a packet goes through the tunnel and back.</summary>
    public bool Reaches(string address) => Place.Run(Requirement.Program("ping", "iputils-ping"), ["-W", "1", "-q", "-c", "1", address]).ExitCode == 0;

    public void Dispose()
    {
        Swan.Dispose();
        Place.Dispose();
    }
}
