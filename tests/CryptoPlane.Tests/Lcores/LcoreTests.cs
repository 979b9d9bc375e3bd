using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Lcores;

public sealed class LcoreTests
{
    [Theory]
    [InlineData(IdlePolicy.Busy)]
    [InlineData(IdlePolicy.Adaptive)]
    [InlineData(IdlePolicy.Blocking)]
    public void Runs_its_worker_pinned_and_named_until_it_is_stopped(IdlePolicy idle)
    {
        int cpu = CpuSet.OfProcess()[0];
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions { Index = 3, Cpu = cpu, Idle = idle }, worker);
        worker.Connect(lcore);
        Assert.Equal(LcoreState.Created, lcore.State);
        lcore.Start();

        for (int i = 1; i <= 100; i++)
        {
            Assert.True(worker.Inbox.TryPost(i));
            int answer = 0;
            Eventually.True(() => worker.Answers.TryDequeue(out answer), "the lcore's answer");
            Assert.Equal(-i, answer);
        }
        Assert.Equal("lcore-3", worker.ThreadName);
        Assert.Equal(CpuSet.Of(cpu), worker.Cpus);

        lcore.RequestStop();
        Assert.True(lcore.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(LcoreState.Stopped, lcore.State);
        Assert.Null(lcore.Failure);
        Assert.True(worker.Stopped);
        LcoreCounters counters = lcore.ReadCounters();
        Assert.Equal(100, counters.Work);
        Assert.True(counters.BusyPolls is > 0 and <= 100);
        Assert.True(counters.Polls >= counters.BusyPolls);
        if (idle == IdlePolicy.Busy)
            Assert.Equal(0, counters.Sleeps);
    }

    [Fact]
    public void An_idle_blocking_lcore_sleeps_in_the_kernel_and_is_stopped_all_the_same()
    {
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions { Idle = IdlePolicy.Adaptive }, worker);
        worker.Connect(lcore);
        lcore.Start();
        Eventually.True(() => worker.Sleeping, "the lcore falls asleep");
        long polls = lcore.ReadCounters().Polls;
        Assert.True(worker.Inbox.TryPost(1));
        Eventually.True(() => worker.Answers.TryDequeue(out _), "the sleeping lcore's answer");
        Assert.True(lcore.ReadCounters().Polls - polls < 10, "a sleeping lcore polls only when it is woken");
        Eventually.True(() => worker.Sleeping, "the lcore falls asleep again");
        lcore.RequestStop();
        Assert.True(lcore.Join(TimeSpan.FromSeconds(20)));
    }

    /// <summary>Messages that come one by one, each of which would be a turn of its own, are taken many at a time.</summary>
    [Fact]
    public void An_adaptive_lcore_lets_work_gather_under_load()
    {
        const int messages = 4000;
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions { Idle = IdlePolicy.Adaptive, GatherNanoseconds = 2_000_000 }, worker);
        worker.Connect(lcore);
        lcore.Start();
        int answers = 0;
        for (int i = 1; i <= messages; i++)
        {
            Eventually.True(() => worker.Inbox.TryPost(i), "room in the mailbox");
            while (worker.Answers.TryDequeue(out _))
                answers++;
            Thread.SpinWait(100);
        }
        Eventually.True(() =>
        {
            while (worker.Answers.TryDequeue(out _))
                answers++;
            return answers == messages;
        }, "all answers");
        LcoreCounters counters = lcore.ReadCounters();
        Assert.Equal(messages, counters.Work);
        Assert.True(counters.BusyPolls < messages / 4, $"{counters.BusyPolls} turns for {messages} messages");
    }

    [Fact]
    public void A_timer_wakes_the_lcore_at_its_deadline()
    {
        var worker = new EchoWorker { TimerIntervalNanoseconds = 2_000_000 };
        using var lcore = new Lcore(new LcoreOptions { Idle = IdlePolicy.Blocking }, worker);
        worker.Connect(lcore);
        lcore.Start();
        Eventually.True(() => worker.TimersFired >= 5, "five timers");
        Assert.False(worker.FiredEarly);
    }

    [Fact]
    public void An_exception_stops_the_lcore_and_is_reported_to_its_owner()
    {
        Exception? reported = null;
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions { OnFailure = (_, failure) => Volatile.Write(ref reported, failure) }, worker);
        worker.Connect(lcore);
        lcore.Start();
        Assert.True(worker.Inbox.TryPost(EchoWorker.Poison));
        Assert.True(lcore.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(LcoreState.Failed, lcore.State);
        Assert.Equal("poisoned", lcore.Failure!.Message);
        Assert.Same(lcore.Failure, Volatile.Read(ref reported));
        Assert.True(worker.Stopped);
    }

    [Fact]
    public void A_cpu_that_does_not_exist_is_a_reported_failure()
    {
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions { Cpu = CpuSet.MaximumCpus - 1 }, worker);
        worker.Connect(lcore);
        lcore.Start();
        Assert.True(lcore.Join(TimeSpan.FromSeconds(20)));
        Assert.Equal(LcoreState.Failed, lcore.State);
        Assert.Contains("CPU 1023", lcore.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_lcore_runs_once_and_need_not_run_at_all()
    {
        var worker = new EchoWorker();
        using var lcore = new Lcore(new LcoreOptions(), worker);
        worker.Connect(lcore);
        lcore.Start();
        Assert.Throws<InvalidOperationException>(lcore.Start);

        var never = new EchoWorker();
        using var unused = new Lcore(new LcoreOptions(), never);
        never.Connect(unused);
        Assert.True(unused.Join(TimeSpan.Zero));
    }

    /// <summary>Answers each message with its negative, and fires a timer if it has one. Its only descriptor is the waker.</summary>
    private sealed class EchoWorker : ILcoreWorker
    {
        public const int Poison = int.MaxValue;

        private Lcore? _lcore;
        private long _deadline = long.MaxValue;
        private volatile bool _sleeping;
        private volatile bool _stopped;
        private volatile int _timersFired;
        private volatile bool _firedEarly;

        public Mailbox<int> Inbox { get; private set; } = null!;

        public SpscRing<int> Answers { get; } = new(8192);

        public long TimerIntervalNanoseconds { get; init; }

        public string? ThreadName { get; private set; }

        public CpuSet Cpus { get; private set; }

        public bool Sleeping => _sleeping;

        public bool Stopped => _stopped;

        public int TimersFired => _timersFired;

        public bool FiredEarly => _firedEarly;

        public void Connect(Lcore lcore) => Inbox = new Mailbox<int>(256, lcore.Waker);

        public void Start(Lcore lcore)
        {
            _lcore = lcore;
            ThreadName = Thread.CurrentThread.Name;
            Cpus = CpuSet.OfCurrentThread();
            if (TimerIntervalNanoseconds > 0)
                _deadline = MonotonicClock.Nanoseconds + TimerIntervalNanoseconds;
        }

        public int Poll(long now)
        {
            int work = 0;
            while (Inbox.TryReceive(out int message))
            {
                if (message == Poison)
                    throw new InvalidOperationException("poisoned");
                if (!Answers.TryEnqueue(-message))
                    throw new InvalidOperationException("The test does not take its answers.");
                work++;
            }
            if (now >= _deadline)
            {
                _firedEarly |= MonotonicClock.Nanoseconds < _deadline;
                _timersFired++;
                _deadline = now + TimerIntervalNanoseconds;
                work++;
            }
            return work;
        }

        public bool HasPendingWork => !Inbox.IsEmpty;

        public long NextDeadline => _deadline;

        public void WaitForEvents(int timeoutMilliseconds)
        {
            _sleeping = true;
            _lcore!.Waker.Sleep(timeoutMilliseconds);
            _sleeping = false;
        }

        public void Stop() => _stopped = true;
    }
}
