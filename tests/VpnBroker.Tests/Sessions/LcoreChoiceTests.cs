using VpnBroker.Sessions;

namespace VpnBroker.Tests.Sessions;

public class LcoreChoiceTests
{
    [Fact]
    public void Without_measurements_the_fewest_sessions_count()
    {
        var choice = new LcoreChoice(3);
        Assert.Equal([0, 1, 2, 0, 1], Enumerable.Range(0, 5).Select(_ => choice.Take(_ => true)));
        choice.Release(0);
        choice.Release(0);
        Assert.Equal(0, choice.Take(_ => true));
        Assert.Equal([1, 2, 1], choice.Sessions);
        Assert.Equal(2, choice.Take(lcore => lcore != 0));
        Assert.Equal(-1, choice.Take(_ => false));
    }

    [Fact]
    public void A_busy_lcore_gets_no_more_until_the_others_are_as_busy()
    {
        var choice = new LcoreChoice(2);
        for (int i = 0; i < 10; i++)
            choice.Take(_ => true);
        // One of the five on lcore 0 is a heavy one.
        for (int second = 0; second < 30; second++)
        {
            choice.Measure(0, 0.8);
            choice.Measure(1, 0.2);
        }
        Assert.All(Enumerable.Range(0, 3), _ => Assert.Equal(1, choice.Take(_ => true)));
        // What was placed since the measurement is expected to cost what sessions do: about a tenth of an lcore each.
        int[] next = [.. Enumerable.Range(0, 20).Select(_ => choice.Take(_ => true))];
        Assert.InRange(next.Count(lcore => lcore == 0), 3, 14);
        // The load comes down: numbers are evened out.
        for (int second = 0; second < 60; second++)
        {
            choice.Measure(0, 0.01);
            choice.Measure(1, 0.02);
        }
        Assert.True(choice.Sessions[0] < choice.Sessions[1]);
        Assert.Equal(0, choice.Take(_ => true));
    }

    [Fact]
    public void Lcores_that_diverge_come_together_again()
    {
        // Sessions end at random, and cost what they cost; lcore 0 begins with all of the load.
        var choice = new LcoreChoice(4);
        var random = new Random(1);
        var sessions = new List<(int Lcore, double Cost)>();
        for (int i = 0; i < 100; i++)
            sessions.Add((choice.Take(lcore => lcore == 0), 0.008));
        for (int step = 0; step < 3_000; step++)
        {
            int last = random.Next(sessions.Count);
            choice.Release(sessions[last].Lcore);
            sessions[last] = (choice.Take(_ => true), random.Next(5) == 0 ? 0.03 : 0.004);
            for (int lcore = 0; step % 10 == 0 && lcore < 4; lcore++)
                choice.Measure(lcore, sessions.Where(session => session.Lcore == lcore).Sum(session => session.Cost));
        }
        double[] loads = [.. Enumerable.Range(0, 4).Select(lcore => sessions.Where(session => session.Lcore == lcore).Sum(session => session.Cost))];
        Assert.InRange(loads.Max() - loads.Min(), 0, 0.15);
    }

    [Fact]
    public void Wrong_measurements_change_nothing()
    {
        var choice = new LcoreChoice(2);
        choice.Measure(7, 1);
        choice.Measure(-1, 1);
        choice.Measure(0, double.NaN);
        choice.Measure(0, -1);
        Assert.Equal(0, choice.Take(_ => true));
    }
}
