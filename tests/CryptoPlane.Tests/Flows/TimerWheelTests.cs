using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

public sealed class TimerWheelTests
{
    private const long Tick = 1000;

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(65_535)]
    [InlineData(131_073)]
    [InlineData(16_777_216)]
    [InlineData(33_554_433)]
    [InlineData(1_000_000_000)]
    public void A_timer_expires_within_a_tick_after_its_deadline_whatever_wheel_it_begins_in(long ticks)
    {
        using var wheel = new TimerWheel(4, 77_777, Tick);
        long tick = wheel.Tick, deadline = 77_777 + (ticks * tick);
        Assert.Equal(512, tick);
        Assert.True(wheel.Arm(3, deadline));
        long now = 0;
        int wakes = 0;
        int[] expired = new int[1000];
        while (wheel.IsArmed(3))
        {
            // Woken by the deadline alone, as an lcore that has nothing else to do.
            now = wheel.NextDeadline;
            Assert.True(now > 77_777 - tick && now < deadline + tick);
            Assert.True(++wakes <= 4, "once when it is due, and once for each coarser wheel");
            do
            {
                if (wheel.Expire(now, expired.Length, expired) > 0)
                    Assert.Equal(3, expired[0]);
            }
            while (wheel.NextDeadline <= now);
        }
        Assert.False(wheel.IsArmed(3));
        Assert.InRange(now, deadline, deadline + tick - 1);
        Assert.Equal(long.MaxValue, wheel.NextDeadline);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_later_deadline_keeps_the_timer_where_it_is_until_its_slot_comes_due()
    {
        using var wheel = new TimerWheel(1, 0, 1024);
        wheel.Arm(0, 10 * 1024);
        long slot = wheel.NextDeadline;
        for (int packet = 11; packet < 200; packet++)
            wheel.Arm(0, packet * 1024);
        Assert.Equal(slot, wheel.NextDeadline);
        var owner = new Owner();
        Assert.Equal(1, wheel.Expire(slot, 10, ref owner));
        Assert.Equal(0, owner.ExpiredCount);
        Assert.Equal(199 * 1024, wheel.NextDeadline);
    }

    [Fact]
    public void An_earlier_deadline_counts_at_once()
    {
        using var wheel = new TimerWheel(1, 0, 1024);
        wheel.Arm(0, 100_000 * 1024);
        wheel.Arm(0, 5 * 1024);
        int[] expired = new int[2];
        Assert.Equal(0, wheel.Expire((5 * 1024) - 1, 10, expired));
        Assert.Equal(1, wheel.Expire(5 * 1024, 10, expired));
    }

    [Fact]
    public void The_owner_may_know_a_later_deadline_than_the_wheel()
    {
        using var wheel = new TimerWheel(1, 0, 1024);
        wheel.Arm(0, 1024);
        var owner = new Owner { Deadline = 300 * 1024 };
        Assert.Equal(1, wheel.Expire(1024, 10, ref owner));
        Assert.Equal(0, owner.ExpiredCount);
        for (long now = 2 * 1024; now < 300 * 1024; now += 1024)
            wheel.Expire(now, 10, ref owner);
        Assert.Equal(0, owner.ExpiredCount);
        wheel.Expire(300 * 1024, 10, ref owner);
        Assert.Equal(1, owner.ExpiredCount);
    }

    [Fact]
    public void A_timer_may_be_armed_again_when_it_expires()
    {
        using var wheel = new TimerWheel(1, 0, 1024);
        var owner = new Owner { Again = wheel };
        wheel.Arm(0, 1024);
        for (long now = 0; now <= 50 * 1024; now += 1024)
            wheel.Expire(now, 10, ref owner);
        Assert.Equal(50, owner.ExpiredCount);
        Assert.True(wheel.IsArmed(0));
    }

    [Fact]
    public void A_deadline_that_has_passed_expires_with_the_next_tick()
    {
        using var wheel = new TimerWheel(3, 1_000_000, 1024);
        wheel.Arm(0, -1);
        wheel.Arm(1, 0);
        wheel.Arm(2, long.MinValue);
        Assert.Equal(3, wheel.Expire(1_000_000 + 1024, 10, new int[10]));
    }

    [Fact]
    public void What_lies_beyond_the_horizon_counts_as_the_horizon_and_never_as_the_past()
    {
        using var wheel = new TimerWheel(1, 5, 1024);
        wheel.Arm(0, long.MaxValue);
        int[] expired = new int[1];
        Assert.Equal(0, wheel.Expire(wheel.Horizon - 2048, 1_000_000_000, expired.AsSpan()));
        Assert.True(wheel.IsArmed(0));
    }

    /// <summary>The bound of a slice in units of work, with a million timers: whatever is due, at any time.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_slice_looks_at_more_timers_than_its_budget(bool allAtOnce)
    {
        const int timers = 1_000_000, budget = 64;
        const long life = 60_000_000_000, turn = 1_000_000;
        using var wheel = new TimerWheel(timers, 0, initialTimers: timers);
        var random = new Random(1);
        long[] deadlines = new long[timers];
        for (int i = 0; i < timers; i++)
            wheel.Arm(i, deadlines[i] = allAtOnce ? life : random.NextInt64(life));
        var owner = new CheckingOwner(deadlines);
        long total = 0;
        for (long now = 0; wheel.Count > 0; now += turn)
        {
            owner.Now = now;
            int looked;
            do
            {
                owner.Touched = 0;
                looked = wheel.Expire(now, budget, ref owner);
                total += looked;
                if (looked > budget || owner.Touched > budget)
                    Assert.Fail($"{looked} timers, {owner.Touched} of them due, in a slice of {budget}");
            }
            while (looked > 0);
            Assert.True(now < life + wheel.Tick + turn);
        }
        Assert.Equal(0, owner.Wrong);
        // Each is looked at when it is due, and when it comes down from a coarser wheel: there are three of these.
        Assert.InRange(total, timers, 4L * timers);
    }

    /// <summary>A coarse slot's timers come down while the slots before it are due, in whatever budget is left.</summary>
    [Fact]
    public void Timers_come_down_before_they_are_due()
    {
        const int timers = 100_000, budget = 1000;
        using var wheel = new TimerWheel(timers, 0, 1024);
        for (int i = 0; i < timers; i++)
            wheel.Arm(i, 1000 * 1024);
        int[] expired = new int[budget];
        for (int tick = 0; tick < 999; tick++)
            Assert.Equal(0, wheel.Expire(tick * 1024, budget, expired));
        for (int slice = 0; slice < timers / budget; slice++)
            Assert.InRange(wheel.Expire(1000 * 1024, budget, expired), budget - 1, budget);
    }

    [Theory]
    [InlineData(0, 0, 1024)]
    [InlineData(1, -1, 1024)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 0, long.MaxValue)]
    public void Wheels_that_make_no_sense_are_refused(int timers, long now, long tick) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TimerWheel(timers, now, tick));

    private struct Owner : ITimerOwner
    {
        public long Deadline;
        public int ExpiredCount;
        public TimerWheel? Again;
        private long _armed;

        public long DeadlineOf(int timer, long armed)
        {
            _armed = armed;
            return Math.Max(Deadline, armed);
        }

        public void Expired(int timer)
        {
            ExpiredCount++;
            Again?.Arm(timer, _armed + Again.Tick);
        }

        public readonly void Prefetch(int timer)
        {
        }
    }

    private struct CheckingOwner(long[] deadlines) : ITimerOwner
    {
        public long Now;
        public int Touched, Wrong;

        public long DeadlineOf(int timer, long armed)
        {
            Touched++;
            return armed;
        }

        public void Expired(int timer) => Wrong += deadlines[timer] > Now ? 1 : 0;

        public readonly void Prefetch(int timer)
        {
        }
    }
}
