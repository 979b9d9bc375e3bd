using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec.Users;

/// <summary>strongSwan as the client of remote users, against the broker's own program.</summary>
public sealed class RemoteUserTests
{
    [Fact]
    public void A_user_reaches_servers_and_gateways_through_rekeys_until_an_operator_ends_it()
    {
        using var lab = new UserLab(", lifetime: 1h");
        lab.Explained(() =>
        {
            UserClient alice = lab.Device("alice");
            Assert.True(alice.LogIn());
            JsonElement session = Assert.Single(lab.Sessions);
            Assert.Equal(("alice", "ikev2", true), (session.GetProperty("user").GetString(), session.GetProperty("via").GetString(), session.GetProperty("connected").GetBoolean()));
            string address = session.GetProperty("iPv4").GetString()!;
            Assert.Contains($"installing new virtual IP {address}", alice.Swan.Log, StringComparison.Ordinal);
            Assert.Contains("nameserver 10.77.0.53", alice.Swan.NameServers, StringComparison.Ordinal);
            // What the client asked for was everything; it was granted what the profile says, and its name server.
            Assert.Contains("10.55.0.0/24 10.77.0.0/24", alice.Swan.Swanctl("--list-sas"), StringComparison.Ordinal);

            Eventually.True(() => alice.Reaches(UserLab.Inside), "the broker's network");
            lab.Download(alice, 300_000);
            lab.StartGateway();
            Eventually.True(() => alice.Reaches(UserLab.GatewayInside), "the network behind the gateway");
            Assert.Contains("alice", lab.Command("ipsec list").EnsureSuccess().Output, StringComparison.Ordinal);

            using (ExternalProgram ping = alice.Place.Start(Requirement.Program("ping", "iputils-ping"), ["-i", "0.02", "-W", "5", "-q", "-c", "200", UserLab.Inside]))
            {
                alice.Swan.Swanctl("--rekey", "--child", "net");
                alice.Swan.Swanctl("--rekey", "--ike", "broker");
                lab.Command("ipsec rekey users").EnsureSuccess();
                lab.Command("ipsec rekey users --ike").EnsureSuccess();
                string output = ping.WaitForExit(TimeSpan.FromSeconds(60)).Output;
                Match received = Regex.Match(output, "200 packets transmitted, (\\d+) received");
                // strongSwan takes its outbound SA away before it has the next one in place.
                Assert.True(received.Success && int.Parse(received.Groups[1].Value, CultureInfo.InvariantCulture) >= 198, output);
            }
            session = Assert.Single(lab.Sessions);
            Assert.Equal(address, session.GetProperty("iPv4").GetString());
            Assert.True(session.GetProperty("traffic").GetProperty("receivedPackets").GetInt64() > 200);

            Assert.Equal("1 session(s) of alice ended", lab.Command("disconnect alice").EnsureSuccess().Output.Trim());
            Eventually.True(() => lab.Sessions.Length == 0, "no session");
            JsonElement end = Assert.Single(lab.Audit("end"));
            Assert.Equal(("alice", "Administrator", address), (end.GetProperty("user").GetString(), end.GetProperty("reason").GetString(), end.GetProperty("ipv4").GetString()));
            Assert.Equal("success", Assert.Single(lab.Audit("login")).GetProperty("result").GetString());
            Assert.Equal(address, Assert.Single(lab.Audit("connect")).GetProperty("ipv4").GetString());
            Eventually.True(() => !alice.Reaches(UserLab.Inside), "no way any more");
        });
    }

    [Fact]
    public void Wrong_passwords_and_unknown_users_look_the_same_and_are_limited()
    {
        using var lab = new UserLab(sections: "limits: {attemptsPerAddress: 2, backoff: 10m}");
        lab.Explained(() =>
        {
            UserClient bob = lab.Device("bob", "wrong horse"), nobody = lab.Device("mallory"), alice = lab.Device("alice");
            Assert.False(bob.LogIn());
            Assert.False(nobody.LogIn());
            Assert.Equal(Exchange(bob), Exchange(nobody));
            Assert.Contains(Exchange(bob), line => line.Contains("ERROR_AUTHENTICATION_FAILURE", StringComparison.Ordinal));
            Assert.Equal(["wrong password", "unknown user"], lab.Audit("login").Select(record => record.GetProperty("reason").GetString()));
            Assert.Equal(["bob", "mallory"], lab.Audit("login").Select(record => record.GetProperty("user").GetString()));

            Assert.False(bob.LogIn());
            Assert.False(bob.LogIn());
            Assert.Equal("too many attempts from this address", lab.Audit("login")[^1].GetProperty("reason").GetString());
            Assert.True(alice.LogIn());
            Assert.Equal("alice", Assert.Single(lab.Sessions).GetProperty("user").GetString());
        });

        // What the client sees, without times and numbers of its own.
        static string[] Exchange(UserClient client) =>
        [
            .. client.Swan.Log.Split('\n').Where(line => line.Contains("parsed IKE_AUTH", StringComparison.Ordinal) || line.Contains("EAP", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf(']') + 1)..]).Select(line => Regex.Replace(line, "(^ *\\S+ )|(device\\d)|('[a-z]+')|(0x[0-9A-F]+)", "")),
        ];
    }

    [Fact]
    public void A_killed_client_gives_its_address_back_and_comes_again()
    {
        using var lab = new UserLab();
        lab.Explained(() =>
        {
            UserClient alice = lab.Device("alice");
            Assert.True(alice.LogIn());
            string address = Assert.Single(lab.Sessions).GetProperty("iPv4").GetString()!;
            alice.Restart();
            Eventually.True(() => lab.Audit("end").Length == 1, "the broker to notice", TimeSpan.FromSeconds(30));
            Assert.Equal(("DeadPeer", address), (lab.Audit("end")[0].GetProperty("reason").GetString(), lab.Audit("end")[0].GetProperty("ipv4").GetString()));
            Assert.Empty(lab.Sessions);
            Assert.True(alice.LogIn());
            Eventually.True(() => alice.Reaches(UserLab.Inside), "the broker's network");
        });
    }

    [Fact]
    public void A_user_may_change_networks_and_keeps_the_session()
    {
        using var lab = new UserLab();
        lab.Explained(() =>
        {
            UserClient alice = lab.Device("alice", connection: "mobike = yes");
            Assert.True(alice.LogIn());
            Eventually.True(() => alice.Reaches(UserLab.Inside), "the broker's network");
            JsonElement before = Assert.Single(lab.Sessions);
            lab.ChangeNetwork(alice);
            Eventually.True(() => Assert.Single(lab.Sessions).GetProperty("remote").GetString()!.StartsWith("10.96.1.2:", StringComparison.Ordinal), "the new address");
            Eventually.True(() => alice.Reaches(UserLab.Inside), "the broker's network from the new address");
            JsonElement after = Assert.Single(lab.Sessions);
            Assert.Equal(before.GetProperty("session").GetInt64(), after.GetProperty("session").GetInt64());
            Assert.Equal(before.GetProperty("iPv4").GetString(), after.GetProperty("iPv4").GetString());
            Assert.Single(lab.Audit("login"));
        });
    }

    [Fact]
    public void Two_users_are_on_two_lcores_and_have_what_their_groups_may()
    {
        using var lab = new UserLab(sections: "policy: {default: allow, rules: [{name: no-web, action: deny, groups: [guests], protocols: [tcp], ports: [80]}]}");
        lab.Explained(() =>
        {
            UserClient bob = lab.Device("bob"), swan = lab.DeviceWithCertificate();
            Assert.True(bob.LogIn());
            Assert.True(swan.LogIn());
            Assert.Equal([0, 1], lab.Sessions.Select(session => session.GetProperty("lcore").GetInt32()).Order());
            Assert.Equal(["bob", "swan.test"], lab.Sessions.Select(session => session.GetProperty("user").GetString()));
            Eventually.True(() => bob.Reaches(UserLab.Inside) && swan.Reaches(UserLab.Inside), "the broker's network");
            // Each lcore takes what is its own.
            Assert.All(lab.Broker.Status().GetProperty("lcores").EnumerateArray(),
                lcore => Assert.Contains(lcore.GetProperty("traffic").EnumerateArray(), port => port.GetProperty("name").GetString() == "esp" && port.GetProperty("receivedPackets").GetInt64() > 0));
            // bob's group has less, of routes and of what the policy lets pass.
            lab.Download(swan, 100_000);
            Assert.False(UserLab.MayDownload(bob));
            Assert.DoesNotContain("10.55.0.0/24", bob.Swan.Swanctl("--list-sas"), StringComparison.Ordinal);

            lab.Command("user remove swan.test").EnsureSuccess();
            lab.Command("reload").EnsureSuccess();
            Eventually.True(() => lab.Sessions.Length == 1, "the end of a user who is none any more");
            Assert.False(swan.LogIn());
            Assert.Equal("not in the users file", lab.Audit("login")[^1].GetProperty("reason").GetString());
        });
    }
}
