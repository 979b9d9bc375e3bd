using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Crypto;

/// <summary>A device that is given up and stopped by a control thread while lcores are in the middle of their calls.</summary>
[Collection(nameof(CryptodevGroup))]
public sealed class CryptodevGiveUpTests
{
    private const int Lives = 3, Lcores = 2;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Devices => DpdkTestBed.Devices;

    [Theory]
    [MemberData(nameof(Devices))]
    public async Task At_whatever_moment_a_device_is_given_up_every_operation_ends_right(string name)
    {
        var random = new Random(7);
        for (int life = 0; life < Lives; life++)
        {
            using Cryptodev device = DpdkTestBed.Open(name, new CryptodevOptions { QueuePairs = Lcores });
            Lcore[] lcores = [.. Enumerable.Range(0, Lcores).Select(_ => new Lcore(device))];
            Task[] running = [.. lcores.Select(lcore =>
                Task.Factory.StartNew(lcore.Run, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            Eventually.True(() => lcores.All(lcore => lcore.Bursts > 2) || running.Any(task => task.IsCompleted), "bursts of every lcore", s_limit);
            Thread.SpinWait(random.Next(20_000));
            device.GiveUp();
            Eventually.True(device.TryStopFailed, "the device to be stopped", s_limit);
            await Task.WhenAll(running).WaitAsync(s_limit, TestContext.Current.CancellationToken);
            foreach (Lcore lcore in lcores)
                lcore.Dispose();
        }
    }

    /// <summary>Opens the same packets over and over, until the CPU has taken the device's place.</summary>
    private sealed unsafe class Lcore : IDisposable
    {
        private readonly DispatchBackend _dispatch;
        private readonly AeadEngine _engine;
        private readonly PacketBatch _batch = new(40, 500, AeadDirection.Open);
        private int _bursts;

        public Lcore(Cryptodev device)
        {
            _dispatch = new DispatchBackend(device.CreateBackend(), AeadBackends.CreateManaged(),
                new DispatchOptions { PreferDevice = true, StallTimeout = TimeSpan.FromMinutes(1) });
            _engine = new AeadEngine(_dispatch);
            _batch.Forge(13);
        }

        public int Bursts => Volatile.Read(ref _bursts);

        public void Run()
        {
            for (int afterwards = 0; afterwards < 3; afterwards += _dispatch.State == DispatchState.CpuOnly ? 1 : 0)
            {
                _engine.Run(_batch.Operations, _batch.Count);
                for (int i = 0; i < _batch.Count; i++)
                {
                    if (i == 13)
                        _batch.AssertRefused(i);
                    else
                        _batch.AssertDone(i);
                }
                Volatile.Write(ref _bursts, _bursts + 1);
            }
            Assert.Equal(0, _dispatch.Lost);
            _batch.Retire(_engine);
        }

        public void Dispose()
        {
            _engine.Dispose();
            _batch.Dispose();
        }
    }
}
