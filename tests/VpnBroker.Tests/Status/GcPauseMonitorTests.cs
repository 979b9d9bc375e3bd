using CryptoPlane.TestKit;
using VpnBroker.Status;

namespace VpnBroker.Tests.Status;

public class GcPauseMonitorTests
{
    [Fact]
    public void Each_collection_is_seen_and_the_worst_stays()
    {
        var monitor = new GcPauseMonitor();
        for (int i = 0; i < 3; i++)
        {
            monitor.Reset();
            Assert.Equal(TimeSpan.Zero, monitor.Worst);
            GC.Collect(i);
            Eventually.True(() => monitor.Worst > TimeSpan.Zero, "the collection's pause");
            Assert.True(monitor.Last <= monitor.Worst);
        }
        monitor.Stop();
    }
}
