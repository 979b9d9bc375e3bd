using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.TestKit;

public sealed class NetworkNamespaceTests
{
    [Fact]
    public void Two_namespaces_reach_one_another_and_are_gone_afterwards()
    {
        string name;
        using (var left = new NetworkNamespace("left"))
        using (var right = new NetworkNamespace("right"))
        {
            name = left.Name;
            left.Connect(right, "veth0", "10.99.0.1/24", "veth0", "10.99.0.2/24");
            ProgramResult ping = left.Run(Requirement.Program("ping", "iputils-ping"), ["-c", "1", "-W", "5", "10.99.0.2"]);
            Assert.True(ping.ExitCode == 0, ping.AllOutput);
        }
        Assert.DoesNotContain(name, ExternalProgram.Run(Requirement.Program("ip", "iproute2"), ["netns", "list"]).Output);
    }
}
