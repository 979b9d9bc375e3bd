using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Dispatch;

/// <summary>A device and the CPU share the work, in simulated time: every run of these tests is the same.</summary>
public sealed unsafe class DispatchBackendTests : IDisposable
{
    private readonly SimulatedClock _clock = new();
    private readonly SimulatedCpu _cpu;

    public DispatchBackendTests()
    {
        Requirement.That(AeadBackends.IsManagedSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        _cpu = new SimulatedCpu(_clock);
    }

    public void Dispose() => _cpu.Dispose();

    [Fact]
    public void Long_messages_go_to_the_device_and_short_ones_stay()
    {
        var device = new SimulatedAccelerator(_clock, 1024);
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var small = new DispatchTraffic(32, 64);
        using var large = new DispatchTraffic(32, 4096);
        Warm(engine, small, large);

        long before = backend.SentToDevice;
        small.Run(engine);
        Assert.Equal(before, backend.SentToDevice);
        large.Run(engine);
        Assert.Equal(before + 32, backend.SentToDevice);
        small.AssertDone();
        large.AssertDone();
    }

    [Fact]
    public void The_break_even_moves_with_what_is_measured()
    {
        var device = new SimulatedAccelerator(_clock, 1024);
        using var backend = Make(device, new DispatchOptions { ProbeInterval = 16 });
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(32, 1408);
        for (int i = 0; i < 100; i++)
            traffic.Run(engine);
        long device1 = backend.SentToDevice;
        Assert.InRange(device1, 80 * 32, 100 * 32);

        // The CPU has become ten times as fast (its kernels were slowed down by somebody else before).
        _cpu.PerByte /= 10;
        _cpu.PerOperation /= 10;
        for (int i = 0; i < 500; i++)
            traffic.Run(engine);
        long device2 = backend.SentToDevice;
        for (int i = 0; i < 160; i++)
            traffic.Run(engine);
        Assert.Equal(10 * 32, backend.SentToDevice - device2);
    }

    [Fact]
    public void A_full_pipe_is_kept_full_and_the_cpu_does_the_rest()
    {
        var device = new SimulatedAccelerator(_clock, 64) { BytesPerNanosecond = 1 };
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var warm = new DispatchTraffic(32, 4096);
        Warm(engine, warm);
        using var traffic = new DispatchTraffic(300, 4096);
        long cpu = backend.SentToCpu;
        Assert.Equal(300, engine.Submit(traffic.Operations, 300));
        Assert.Equal(64, device.InFlight);
        Assert.Equal(300 - 64, backend.SentToCpu - cpu);
        traffic.PollAll(engine, 300);
        traffic.AssertDone();
    }

    [Fact]
    public void Completions_come_in_the_order_of_submission_whoever_did_the_work()
    {
        var device = new SimulatedAccelerator(_clock, 32);
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var small = new DispatchTraffic(32, 64);
        using var large = new DispatchTraffic(32, 4096);
        Warm(engine, small, large);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(32, engine.Submit(large.Operations, 32));
            Assert.Equal(32, engine.Submit(small.Operations, 32));
            large.PollAll(engine, 32);
            small.PollAll(engine, 32);
            large.AssertDone();
            small.AssertDone();
        }
    }

    [Fact]
    public void What_the_device_fails_at_is_done_by_the_cpu()
    {
        var device = new SimulatedAccelerator(_clock, 1024) { FailEvery = 5 };
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(32, 4096);
        for (int i = 0; i < 50; i++)
        {
            traffic.Run(engine);
            traffic.AssertDone();
        }
        Assert.Equal(DispatchState.Sharing, backend.State);
        Assert.Equal(backend.SentToDevice / 5, backend.Retried);
    }

    [Theory]
    [InlineData(Trouble.Stall)]
    [InlineData(Trouble.Unplugged)]
    [InlineData(Trouble.FailsAlways)]
    public void A_device_in_trouble_is_given_up_and_nothing_is_lost_or_done_twice(Trouble trouble)
    {
        var device = new SimulatedAccelerator(_clock, 128) { WritesBeforeStalling = trouble == Trouble.Stall };
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(100, 4096);
        Warm(engine, traffic);
        Assert.Equal(100, engine.Submit(traffic.Operations, 100));
        Assert.Equal(100, device.InFlight);
        device.Stalled = trouble == Trouble.Stall;
        device.IsHealthy = trouble != Trouble.Unplugged;
        device.FailEvery = trouble == Trouble.FailsAlways ? 1 : 0;

        traffic.PollAll(engine, 100);
        traffic.AssertDone();
        Assert.Equal(0, backend.Lost);
        Assert.Equal(100, backend.Retried);

        // From now on the CPU does everything, and nothing goes near the device.
        long sent = backend.SentToDevice;
        for (int i = 0; i < 50; i++)
        {
            traffic.Run(engine);
            traffic.AssertDone();
        }
        Assert.Equal(DispatchState.CpuOnly, backend.State);
        Assert.Equal(sent, backend.SentToDevice);
        Assert.True(device.IsAbandoned);
        Assert.False(device.TouchedAfterwards);
    }

    [Fact]
    public void A_stall_ends_within_its_bound_and_nothing_comes_back_before_the_device_is_stopped()
    {
        var device = new SimulatedAccelerator(_clock, 128) { Stalled = true, StopTakes = 1000 };
        using var backend = Make(device, new DispatchOptions { StallTimeout = TimeSpan.FromMicroseconds(100) });
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(32, 4096);
        Assert.Equal(32, engine.Submit(traffic.Operations, 32));
        long begin = _clock.Now;
        AeadOperation* completed;
        while (backend.State == DispatchState.Sharing)
            Assert.Equal(0, engine.Poll(&completed, 1));
        Assert.InRange(_clock.Now - begin, 100_000, 101_000);
        // In quarantine: new work is done, and waits behind it.
        using var later = new DispatchTraffic(8, 64);
        Assert.Equal(8, engine.Submit(later.Operations, 8));
        for (int i = 2; i < 1000; i++)
        {
            Assert.Equal(0, engine.Poll(&completed, 1));
            Assert.Equal(DispatchState.Abandoning, backend.State);
        }
        traffic.PollAll(engine, 32);
        later.PollAll(engine, 8);
        traffic.AssertDone();
        later.AssertDone();
    }

    [Fact]
    public void An_lcore_that_was_away_gives_up_no_device_that_works()
    {
        var device = new SimulatedAccelerator(_clock, 128) { Latency = 2_000_000 };
        using var backend = Make(device, new DispatchOptions { StallTimeout = TimeSpan.FromMicroseconds(100) });
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(32, 4096);
        Assert.Equal(32, engine.Submit(traffic.Operations, 32));
        AeadOperation* completed;
        // Ten times the timeout, twice: what was not looked at was no stall, and what has completed by then was none either.
        _clock.Now += 1_000_000;
        Assert.Equal(0, engine.Poll(&completed, 1));
        Assert.Equal(DispatchState.Sharing, backend.State);
        _clock.Now += 1_100_000;
        traffic.PollAll(engine, 32);
        traffic.AssertDone();
        Assert.Equal(DispatchState.Sharing, backend.State);
        Assert.Equal(0, backend.Retried);
    }

    [Fact]
    public void In_place_nothing_is_sealed_twice()
    {
        var device = new SimulatedAccelerator(_clock, 128) { WritesBeforeStalling = true, Stalled = true };
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(16, 4096, inPlace: true);
        Assert.Equal(16, engine.Submit(traffic.Operations, 16));
        traffic.PollAll(engine, 16);
        traffic.AssertErased();
        Assert.Equal(16, backend.Lost);
        Assert.Equal(0, backend.Retried);
    }

    [Fact]
    public void A_backend_that_keeps_something_with_a_key_cannot_stand_in()
    {
        using IAeadBackend portable = AeadBackends.CreatePortable();
        using var device = new SimulatedAccelerator(_clock, 64);
        Assert.Throws<ArgumentException>(() => new DispatchBackend(device, portable));
        Assert.Throws<ArgumentException>(() => new DispatchBackend(device, device));
    }

    [Fact]
    public void The_steady_state_allocates_nothing()
    {
        var device = new SimulatedAccelerator(_clock, 1024) { Latency = 0 };
        using var backend = Make(device);
        using var engine = new AeadEngine(backend);
        using var traffic = new DispatchTraffic(32, 1408);
        for (int i = 0; i < 3000; i++)
            traffic.Run(engine);
        Assert.Equal(0, AllocationMeter.Measure(() => traffic.Run(engine, times: 2000)).AllocatedBytes);
    }

    private DispatchBackend Make(SimulatedAccelerator device, DispatchOptions? options = null) =>
        new(device, _cpu, options ?? new DispatchOptions(), () => _clock.Now, 1_000_000_000);

    /// <summary>Until both sides' costs are known.</summary>
    private static void Warm(AeadEngine engine, params ReadOnlySpan<DispatchTraffic> traffic)
    {
        foreach (DispatchTraffic one in traffic)
            one.Run(engine, times: 4);
    }

    /// <summary>What happens to a device.</summary>
    public enum Trouble
    {
        Stall,
        Unplugged,
        FailsAlways,
    }
}
