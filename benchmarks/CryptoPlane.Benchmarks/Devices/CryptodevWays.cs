using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Devices;

/// <summary>The queue pair's backend without an engine.</summary>
internal sealed unsafe class BackendWay : CryptodevSubject
{
    public const string Way = "backend";

    private readonly CryptodevBackend _backend;

    public BackendWay(CryptodevCase work, Cryptodev device)
        : base(Way, work)
    {
        _backend = device.CreateBackend();
        if (!_backend.TryAttachKey(Key))
            throw new InvalidOperationException($"{device.Info.Name} takes no key.");
    }

    public override void Run()
    {
        AeadOperation** completed = stackalloc AeadOperation*[CryptodevCase.Burst];
        int submitted = 0, done = 0;
        while (done < CryptodevCase.Burst)
        {
            submitted += _backend.Submit(Operations + submitted, CryptodevCase.Burst - submitted);
            done += _backend.Poll(completed, CryptodevCase.Burst);
        }
    }

    public override void Dispose()
    {
        _backend.DetachKey(Key);
        _backend.Dispose();
        using (var engine = new AeadEngine(AeadBackends.CreatePortable()))
            engine.Retire(Key);
        base.Dispose();
    }
}

/// <summary>The engine over the queue pair's backend, as users call it.</summary>
internal sealed unsafe class EngineWay : CryptodevSubject
{
    public const string Way = "engine";

    private readonly AeadEngine _engine;

    public EngineWay(CryptodevCase work, Cryptodev device)
        : base(Way, work)
    {
        _engine = new AeadEngine(device.CreateBackend());
    }

    public override void Run() => _engine.Run(Operations, CryptodevCase.Burst);

    public override void Dispose()
    {
        _engine.Retire(Key);
        _engine.Dispose();
        base.Dispose();
    }
}

/// <summary>The engine over a dispatcher that prefers the device, so that what is measured is the dispatcher's own cost.</summary>
internal sealed unsafe class DispatchWay : CryptodevSubject
{
    public const string Way = "dispatch";

    private readonly AeadEngine _engine;

    public DispatchWay(CryptodevCase work, Cryptodev device)
        : base(Way, work)
    {
        IAeadBackend cpu = AeadBackends.IsNativeSupported ? AeadBackends.CreateNative() : AeadBackends.CreateManaged();
        _engine = new AeadEngine(new DispatchBackend(device.CreateBackend(), cpu, new DispatchOptions { PreferDevice = true }));
    }

    public override void Run() => _engine.Run(Operations, CryptodevCase.Burst);

    public override void Dispose()
    {
        _engine.Retire(Key);
        _engine.Dispose();
        base.Dispose();
    }
}
