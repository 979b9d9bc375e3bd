using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

/// <summary>Random operations on a wheel and on a list of deadlines, side by side.</summary>
public sealed class TimerWheelModelTests
{
    private const long Tick = 1024;

    /// <summary>Deadlines of all of the wheels' reaches, in ticks.</summary>
    private static readonly long[] s_reaches = [3, 200, 700, 100_000, 3_000_000, 80_000_000];

    [Theory]
    [InlineData(1, 500, 1.0)]
    [InlineData(2, 20_000, 1.0)]
    [InlineData(3, 5_000, 300.0)]
    public void Nothing_expires_early_and_nothing_more_than_a_tick_late(int seed, int timers, double ticksPerStep)
    {
        const int operations = 1_000_000;
        var random = new Random(seed);
        long now = random.Next(1 << 30);
        using var wheel = new TimerWheel(timers, now, Tick);
        // 0: not armed.
        long[] deadlines = new long[timers];
        int[] expired = new int[timers];
        long before = now;
        int armed = 0, count = 0;
        for (int done = 0; done < operations; done++)
        {
            int timer = random.Next(timers);
            switch (random.Next(8))
            {
                case 0:
                    wheel.Disarm(timer);
                    armed -= deadlines[timer] == 0 ? 0 : 1;
                    deadlines[timer] = 0;
                    break;
                case 1:
                    now += (long)(random.NextDouble() * 2 * ticksPerStep * Tick);
                    Expire();
                    break;
                case 2 when random.Next(20_000) == 0:
                    // The lcore slept, or the machine did.
                    now += random.NextInt64(200_000_000) * Tick;
                    Expire();
                    break;
                default:
                    // Now and then a deadline that has passed, or one that is now.
                    long reach = s_reaches[random.Next(s_reaches.Length)] * Tick;
                    long deadline = now + (random.Next(50) == 0 ? -random.Next(3) : random.NextInt64(reach));
                    Assert.True(wheel.Arm(timer, deadline));
                    armed += deadlines[timer] == 0 ? 1 : 0;
                    deadlines[timer] = Math.Max(deadline, 1);
                    break;
            }
            if (armed != wheel.Count)
                Assert.Fail($"{wheel.Count} timers instead of {armed}");
        }
        Assert.True(count > operations / 100, $"only {count} expired");
        Assert.DoesNotContain(deadlines, deadline => deadline != 0 && deadline <= before - Tick);

        void Expire()
        {
            // As a poll loop does, in slices, until there is nothing left to do now.
            int slices = 0;
            for (int got; (got = wheel.Expire(now, 64, expired)) > 0 || (wheel.NextDeadline <= now && slices < 100_000); slices++)
            {
                for (int i = 0; i < got; i++)
                {
                    long deadline = deadlines[expired[i]];
                    if (deadline == 0 || deadline > now)
                        Assert.Fail($"timer {expired[i]} expires at {now}, not at {deadline}");
                    if (deadline <= before - Tick)
                        Assert.Fail($"timer {expired[i]} was not there at {before}, though due at {deadline}");
                    deadlines[expired[i]] = 0;
                    armed--;
                    count++;
                }
            }
            Assert.True(slices < 100_000, "work without end");
            before = now;
        }
    }
}
