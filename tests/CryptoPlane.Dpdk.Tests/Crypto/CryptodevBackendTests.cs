using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Crypto;

/// <summary>Devices open one at a time: a test owns the device that it works with.</summary>
[Collection(nameof(CryptodevGroup))]
public sealed unsafe class CryptodevBackendTests
{
    public static TheoryData<string> Devices => DpdkTestBed.Devices;

    [Theory]
    [MemberData(nameof(Devices))]
    public void Bursts_of_many_keys_are_sealed_and_opened(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name);
        using var engine = new AeadEngine(device.CreateBackend());
        foreach (AeadAlgorithm algorithm in new[] { AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm })
        {
            foreach (int length in new[] { 1, 16, 64, 100, 1408, 16_384, 65_519 })
            {
                foreach (AeadDirection direction in new[] { AeadDirection.Seal, AeadDirection.Open })
                {
                    using var batch = new PacketBatch(length > 2000 ? 5 : 70, length, direction, algorithm);
                    engine.Run(batch.Operations, batch.Count);
                    batch.AssertDone();
                    batch.Retire(engine);
                }
            }
        }
        Assert.Equal(0, Backend(engine, device).DoneByCpu);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void A_forged_packet_among_good_ones_leaves_zeros(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name);
        using var engine = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(32, 300, AeadDirection.Open);
        batch.Forge(0);
        batch.Forge(17);
        batch.Forge(31);
        engine.Run(batch.Operations, batch.Count);
        for (int i = 0; i < batch.Count; i++)
        {
            if (i is 0 or 17 or 31)
                batch.AssertRefused(i);
            else
                batch.AssertDone(i);
        }
        batch.Retire(engine);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void A_full_queue_takes_fewer_and_completions_come_in_order(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { Depth = 64 });
        using var engine = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(300, 200, AeadDirection.Seal, sameKey: true);
        AeadOperation** completed = stackalloc AeadOperation*[300];
        int submitted = 0, polled = 0, shortCounts = 0;
        while (polled < batch.Count)
        {
            int taken = engine.Submit(batch.Operations + submitted, batch.Count - submitted);
            Assert.InRange(taken, 0, 64);
            shortCounts += taken < batch.Count - submitted ? 1 : 0;
            submitted += taken;
            Assert.Equal(submitted - polled, engine.InFlight);
            polled += engine.Poll(completed + polled, 300 - polled);
        }
        Assert.True(shortCounts > 2);
        for (int i = 0; i < batch.Count; i++)
            Assert.Equal((uint)i, completed[i]->UserData);
        batch.AssertDone();
        batch.Retire(engine);
    }

    [Fact]
    public void What_the_device_cannot_do_is_done_by_the_cpu_in_its_turn()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Gcm);
        using var engine = new AeadEngine(device.CreateBackend());
        using var empty = new PacketBatch(8, 0, AeadDirection.Seal);
        using var huge = new PacketBatch(2, 65_520, AeadDirection.Open);
        engine.Run(empty.Operations, empty.Count);
        engine.Run(huge.Operations, huge.Count);
        empty.AssertDone();
        huge.AssertDone();
        Assert.Equal(10, Backend(engine, device).DoneByCpu);
        empty.Retire(engine);
        huge.Retire(engine);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Whatever_becomes_of_operations_they_come_back_in_order_with_their_own_status(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { Depth = 64 });
        using var engine = new AeadEngine(device.CreateBackend());
        using var empty = new PacketBatch(8, 0, AeadDirection.Seal);
        using var mixed = new PacketBatch(30, 300, AeadDirection.Open);
        using var large = new PacketBatch(3, 65_520, AeadDirection.Seal);
        for (int i = 0; i < mixed.Count; i += 3)
            mixed.Forge(i);
        PacketBatch[] batches = [empty, mixed, large];
        AeadOperation** completed = stackalloc AeadOperation*[7];
        for (int round = 0; round < 5; round++)
        {
            foreach (PacketBatch batch in batches)
                Assert.Equal(batch.Count, engine.Submit(batch.Operations, batch.Count));
            // A few at a time, so that what is done waits in the queue.
            var order = new List<nint>();
            while (engine.InFlight > 0)
            {
                int count = engine.Poll(completed, 7);
                for (int i = 0; i < count; i++)
                    order.Add((nint)completed[i]);
            }
            Assert.Equal(batches.SelectMany(Addresses), order);
            empty.AssertDone();
            large.AssertDone();
            for (int i = 0; i < mixed.Count; i++)
            {
                if (i % 3 == 0)
                    mixed.AssertRefused(i);
                else
                    mixed.AssertDone(i);
            }
        }
        Assert.Equal(5 * (8 + 3), Backend(engine, device).DoneByCpu);
        Assert.Equal(0, Backend(engine, device).DeviceErrors);
        foreach (PacketBatch batch in batches)
            batch.Retire(engine);

        static IEnumerable<nint> Addresses(PacketBatch batch)
        {
            for (int i = 0; i < batch.Count; i++)
                yield return Address(batch, i);
        }

        static nint Address(PacketBatch batch, int i) => (nint)batch[i];
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void Long_and_short_aad_take_turns_in_the_same_slots(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { Depth = 64 });
        using var engine = new AeadEngine(device.CreateBackend());
        using var inline = new PacketBatch(20, 100, AeadDirection.Open, sameKey: true);
        using var longer = new PacketBatch(20, 100, AeadDirection.Open, sameKey: true, aadLength: 45);
        for (int round = 0; round < 4; round++)
        {
            PacketBatch batch = round % 2 == 0 ? longer : inline;
            engine.Run(batch.Operations, batch.Count);
            batch.AssertDone();
        }
        inline.Retire(engine);
        longer.Retire(engine);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void A_device_that_was_stopped_with_operations_in_it_works_when_it_is_opened_anew(string name)
    {
        AeadOperation** completed = stackalloc AeadOperation*[100];
        for (int life = 0; life < 3; life++)
        {
            using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { Depth = 128 });
            using var engine = new AeadEngine(device.CreateBackend());
            using var batch = new PacketBatch(100, 700, AeadDirection.Open);
            // Nothing of the life before comes back: neither too many completions nor one before its work is done.
            engine.Run(batch.Operations, batch.Count);
            batch.AssertDone();
            Assert.Equal(0, Backend(engine, device).DeviceErrors);

            Assert.Equal(100, engine.Submit(batch.Operations, batch.Count));
            device.GiveUp();
            Assert.True(device.TryStopFailed());
            Assert.Equal(100, engine.Poll(completed, 100));
            Assert.Equal(100, Backend(engine, device).DeviceErrors);
            batch.Retire(engine);
        }
    }

    [Fact]
    public void Without_a_session_left_the_cpu_goes_on_and_a_retired_key_makes_room()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Gcm, new CryptodevOptions { Sessions = 8 });
        using var engine = new AeadEngine(device.CreateBackend());
        using (var batch = new PacketBatch(20, 64, AeadDirection.Seal))
        {
            engine.Run(batch.Operations, batch.Count);
            batch.AssertDone();
            Assert.Equal(12, Backend(engine, device).DoneByCpu);
            batch.Retire(engine);
        }
        using var again = new PacketBatch(8, 64, AeadDirection.Open);
        engine.Run(again.Operations, again.Count);
        again.AssertDone();
        Assert.Equal(12, Backend(engine, device).DoneByCpu);
        again.Retire(engine);
    }

    [Fact]
    public void A_key_moves_from_one_queue_pair_to_another()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.OpenSsl, new CryptodevOptions { QueuePairs = 2 });
        using var first = new AeadEngine(device.CreateBackend());
        using var second = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(4, 100, AeadDirection.Seal);
        first.Run(batch.Operations, batch.Count);
        second.Run(batch.Operations, batch.Count);
        batch.AssertDone();
        batch.Retire(second);
    }

    [Fact]
    public void A_device_without_the_algorithm_is_passed_over()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Null);
        using var engine = new AeadEngine(device.CreateBackend(), AeadBackends.CreatePortable());
        using var batch = new PacketBatch(4, 100, AeadDirection.Seal);
        engine.Run(batch.Operations, batch.Count);
        batch.AssertDone();
        batch.Retire(engine);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void When_a_device_is_given_up_its_operations_wait_until_it_is_stopped_and_are_done_by_the_cpu(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { QueuePairs = 2 });
        using var other = new AeadEngine(Dispatch(device));
        var dispatch = Dispatch(device);
        using var engine = new AeadEngine(dispatch);
        using var batch = new PacketBatch(50, 1400, AeadDirection.Seal);
        Assert.Equal(50, engine.Submit(batch.Operations, batch.Count));
        Assert.False(device.TryStopFailed());
        device.GiveUp();

        AeadOperation** completed = stackalloc AeadOperation*[64];
        Assert.Equal(0, engine.Poll(completed, 64));
        Assert.Equal(DispatchState.Abandoning, dispatch.State);
        // The other lcore has nothing in flight, and goes on with the CPU.
        using var probe = new PacketBatch(1, 64, AeadDirection.Open);
        Assert.Equal(1, other.Submit(probe.Operations, 1));
        Assert.Equal(1, other.Poll(completed, 64));
        probe.AssertDone();

        Assert.True(device.TryStopFailed());
        Assert.Equal(50, engine.Poll(completed, 64));
        batch.AssertDone();
        Assert.Equal(DispatchState.CpuOnly, dispatch.State);
        // The first one at least, since the device's cost was not known.
        Assert.InRange(dispatch.SentToDevice, 1, 50);
        Assert.Equal(dispatch.SentToDevice, dispatch.Retried);

        engine.Run(batch.Operations, batch.Count);
        batch.AssertDone();
        batch.Retire(engine);
        probe.Retire(other);
    }

    [Fact]
    public void Without_a_cpu_beside_it_what_was_in_flight_fails_and_leaves_zeros()
    {
        using Cryptodev device = DpdkTestBed.Open(DpdkTestBed.Mb);
        using var engine = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(40, 500, AeadDirection.Open);
        Assert.Equal(30, engine.Submit(batch.Operations, 30));
        device.GiveUp();
        AeadOperation** completed = stackalloc AeadOperation*[64];
        Assert.Equal(0, engine.Poll(completed, 64));
        Assert.Equal(0, engine.Submit(batch[30], 10));
        Assert.True(device.TryStopFailed());
        Assert.Equal(10, engine.Submit(batch[30], 10));
        Assert.Equal(40, engine.Poll(completed, 64));
        for (int i = 0; i < batch.Count; i++)
            batch.AssertFailed(i);
        batch.Retire(engine);
    }

    private static DispatchBackend Dispatch(Cryptodev device) =>
        new(device.CreateBackend(), AeadBackends.CreateManaged(), new DispatchOptions { StallTimeout = TimeSpan.FromSeconds(30) });

    [Theory]
    [MemberData(nameof(Devices))]
    public void The_steady_state_allocates_nothing_and_takes_no_lock(string name)
    {
        using Cryptodev device = DpdkTestBed.Open(name);
        using var engine = new AeadEngine(device.CreateBackend());
        using var batch = new PacketBatch(32, 64, AeadDirection.Open);
        using var forged = new PacketBatch(32, 64, AeadDirection.Open);
        for (int i = 0; i < forged.Count; i++)
            forged.Forge(i);
        nint good = (nint)batch.Operations, bad = (nint)forged.Operations;
        Run(1000);
        Assert.Equal(new AllocationReading(0, 0, 0), AllocationMeter.Measure(() => Run(10_000)));
        batch.AssertDone();
        forged.AssertRefused(31);
        batch.Retire(engine);
        forged.Retire(engine);

        void Run(int bursts)
        {
            for (int i = 0; i < bursts; i++)
            {
                engine.Run((AeadOperation*)good, 32);
                engine.Run((AeadOperation*)bad, 32);
            }
        }
    }

    private static CryptodevBackend Backend(AeadEngine engine, Cryptodev device)
    {
        Assert.Contains(device.Info.Name, engine.Description, StringComparison.Ordinal);
        return device.Backends.Single(backend => backend != null)!;
    }
}

/// <summary>Lock contentions are counted for the whole process, and a device is opened by one test at a time.</summary>
[CollectionDefinition(nameof(CryptodevGroup), DisableParallelization = true)]
public sealed class CryptodevGroup;
