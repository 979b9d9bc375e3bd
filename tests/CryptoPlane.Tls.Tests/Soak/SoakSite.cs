using CryptoPlane.Lcores;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>An lcore of the soak, and the control thread that brings it connections.</summary>
internal sealed unsafe class SoakSite : IDisposable
{
    private readonly Lcore _thread;
    private readonly Thread _control;
    private readonly SoakHandshake _handshake;
    private volatile bool _stop;
    private volatile Exception? _failure;
    private long _started;

    public SoakSite(SoakProfiles profiles, int index, int seed)
    {
        Lcore = new SoakLcore(index, (2 * seed) + index);
        _handshake = new SoakHandshake(profiles, (2 * seed) + index);
        _thread = new Lcore(new LcoreOptions { Index = index, Idle = IdlePolicy.Busy }, Lcore);
        _control = new Thread(Connect) { IsBackground = true, Name = $"control-{index}" };
        _thread.Start();
        _control.Start();
    }

    public SoakLcore Lcore { get; }

    public SoakTotals Totals => Lcore.Totals;

    public SoakHandshakeTotals Handshakes => _handshake.Totals;

    /// <summary>Connections that came up.</summary>
    public long Started => Volatile.Read(ref _started);

    /// <summary>Fails if either thread has.</summary>
    public SoakLcore Check()
    {
        if ((_thread.Failure ?? _failure) is { } failure)
            Assert.Fail(failure.ToString());
        return Lcore;
    }

    public void Dispose()
    {
        _stop = true;
        _control.Join();
        _thread.Dispose();
        _handshake.Dispose();
        Lcore.Dispose();
    }

    private void Connect()
    {
        try
        {
            var free = new Stack<int>(Enumerable.Range(0, SoakLcore.Connections));
            var wait = default(SpinWait);
            while (!_stop)
            {
                while (Lcore.TryTakeEnded(out int ended))
                    free.Push(ended);
                if (!free.TryPeek(out int index))
                {
                    wait.SpinOnce();
                    continue;
                }
                if (!_handshake.TryConnect(Lcore[index]))
                    continue;
                free.Pop();
                Lcore.Give(index);
                Volatile.Write(ref _started, _started + 1);
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
