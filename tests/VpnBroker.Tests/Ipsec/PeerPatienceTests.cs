using VpnBroker.Ipsec;

namespace VpnBroker.Tests.Ipsec;

public sealed class PeerPatienceTests
{
    /// <summary>Waits of 1, 1.8, 3.24, 5.832, ... seconds.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(6, 2)]
    [InlineData(7, 3)]
    [InlineData(11, 3)]
    [InlineData(130, 7)]
    [InlineData(1200, 25)]
    public void Tries_give_a_peer_the_time_that_it_has(int seconds, int tries) => Assert.Equal(tries, PeerPatience.TriesFor(seconds));
}
