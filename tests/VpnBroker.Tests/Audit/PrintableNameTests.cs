using VpnBroker.Audit;

namespace VpnBroker.Tests.Audit;

public class PrintableNameTests
{
    [Theory]
    [InlineData("alice", "alice")]
    [InlineData("CORP\\bob@example.org", "CORP\\bob@example.org")]
    [InlineData("", "\"\"")]
    [InlineData("x from 192.0.2.1:1 failed", "\"x from 192.0.2.1:1 failed\"")]
    [InlineData("x\r\n2026-11-21 info", "\"x\\r\\n2026-11-21 info\"")]
    [InlineData("\u009b31m\u2028", "\"\\u009B31m\\u2028\"")]
    [InlineData("a\" logged in", "\"a\\u0022 logged in\"")]
    public void Names_of_strangers_cannot_imitate_a_log(string name, string expected) => Assert.Equal(expected, PrintableName.Of(name));

    [Fact]
    public void Long_names_are_cut() => Assert.InRange(PrintableName.Of(new string('\n', 10_000)).Length, 1, 400);
}
