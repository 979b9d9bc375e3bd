using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

/// <summary>The engine over backends that work later, out of order, and have little room.</summary>
public sealed unsafe class AeadEngineAsynchronousTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    public void Completions_come_in_the_order_of_submission_however_the_device_works(int depth)
    {
        var device = new SimulatedDevice(depth, seed: depth);
        using var engine = new AeadEngine(device);
        using var burst = new TestBurst(200, AeadAlgorithm.Aes128Gcm);
        AeadOperation** completed = stackalloc AeadOperation*[16];
        int submitted = 0, polled = 0;
        while (polled < burst.Count)
        {
            submitted += engine.Submit(burst.Operations + submitted, burst.Count - submitted);
            Assert.True(device.InFlight <= depth);
            int count = engine.Poll(completed, 16);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal((uint)(polled + i), completed[i]->UserData);
                Assert.NotEqual(AeadStatus.Pending, completed[i]->Status);
            }
            polled += count;
        }
        Assert.Equal(0, engine.InFlight);
        Assert.True(device.ShortCounts > 0);
        Assert.Equal(depth > 1, device.OutOfOrder > 0);
        burst.AssertSealed();
        burst.Retire(engine);
        Assert.Equal(0, device.Sessions);
    }

    [Fact]
    public void Operations_of_two_devices_and_the_cpu_keep_one_order()
    {
        // Sessions run out, so that the burst's keys are spread over all three backends.
        var first = new SimulatedDevice(5, seed: 11) { MaxSessions = 30 };
        var second = new SimulatedDevice(9, seed: 12, AeadBackendKind.Custom + 1) { MaxSessions = 30 };
        using var engine = new AeadEngine(first, second, AeadBackends.CreatePortable());
        using var burst = new TestBurst(100, AeadAlgorithm.ChaCha20Poly1305);
        for (int i = 99; i >= 0; i -= 2)
            Assert.True(engine.TryAttachKey(burst[i]->Key));
        AeadOperation** completed = stackalloc AeadOperation*[64];
        int submitted = 0, polled = 0;
        while (polled < burst.Count)
        {
            submitted += engine.Submit(burst.Operations + submitted, burst.Count - submitted);
            int count = engine.Poll(completed, 64);
            for (int i = 0; i < count; i++)
                Assert.Equal((uint)(polled + i), completed[i]->UserData);
            polled += count;
        }
        Assert.Equal(30, first.Sessions);
        Assert.Equal(30, second.Sessions);
        burst.AssertSealed();
        burst.Retire(engine);
    }

    [Fact]
    public void Run_goes_through_back_pressure_to_the_end()
    {
        var device = new SimulatedDevice(3, seed: 5) { MaxSessions = 20 };
        using var engine = new AeadEngine(device, AeadBackends.CreatePortable());
        using var burst = new TestBurst(64, AeadAlgorithm.Aes256Gcm);
        engine.Run(burst.Operations, burst.Count);
        Assert.True(device.ShortCounts > 0);
        burst.AssertSealed();
        burst.Retire(engine);
    }

    [Fact]
    public void A_key_retired_in_flight_lives_until_its_last_operation_has_completed()
    {
        var device = new SimulatedDevice(8, seed: 3) { Stalled = true };
        using var engine = new AeadEngine(device);
        using var burst = new TestBurst(4, AeadAlgorithm.Aes128Gcm);
        Assert.Equal(4, engine.Submit(burst.Operations, 4));
        burst.Retire(engine);
        AeadOperation** completed = stackalloc AeadOperation*[4];
        Assert.Equal(0, engine.Poll(completed, 4));
        Assert.Equal(4, device.Sessions);
        Assert.Throws<InvalidOperationException>(engine.Dispose);

        device.Stalled = false;
        int polled = 0;
        while (polled < 4)
        {
            polled += engine.Poll(completed, 1);
            // What the device has done is freed as the engine gives it back, and no earlier.
            Assert.Equal(4 - polled, device.Sessions);
        }
        burst.AssertSealed();
    }

    [Fact]
    public void An_attached_key_object_cannot_be_disposed_of_while_it_is_in_flight()
    {
        var device = new SimulatedDevice(8, seed: 3) { Stalled = true };
        using var engine = new AeadEngine(device);
        using var burst = new TestBurst(1, AeadAlgorithm.Aes128Gcm);
        AeadKeyHandle spare = burst[0]->Key;
        AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, new byte[16]);
        burst[0]->Key = key.Handle;
        Assert.Equal(1, engine.Submit(burst.Operations, 1));
        Assert.Throws<InvalidOperationException>(key.Dispose);
        device.Stalled = false;
        AeadOperation* done;
        while (engine.Poll(&done, 1) == 0)
        {
            // The device works at every poll, on what it picks.
        }
        engine.Retire(key.Detach());
        engine.Retire(spare);
        Assert.Equal(0, device.Sessions);
    }

    [Fact]
    public void Run_refuses_to_mix_with_what_is_in_flight()
    {
        using var engine = new AeadEngine(AeadBackends.CreatePortable());
        using var burst = new TestBurst(2, AeadAlgorithm.Aes128Gcm);
        Assert.Equal(2, engine.Submit(burst.Operations, 2));
        nint operations = (nint)burst.Operations;
        Assert.Throws<InvalidOperationException>(() => engine.Run((AeadOperation*)operations, 2));
        AeadOperation** completed = stackalloc AeadOperation*[2];
        Assert.Equal(2, engine.Poll(completed, 2));
        burst.AssertSealed();
        burst.Retire(engine);
    }
}
