using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.Dpdk;
using CryptoPlane.Lcores;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>The crypto devices of the configuration, and a queue pair for each lcore that one of them serves. Control threads.</summary>
internal sealed class CryptoDevices : IDisposable
{
    private readonly List<Cryptodev> _devices = [];

    /// <summary>By lcore: its device, or null for an lcore that works with its CPU alone.</summary>
    private readonly Cryptodev?[] _deviceOf;

    /// <summary>By lcore: what shares its work out; kept for its counters, owned by the lcore's engine.</summary>
    private readonly DispatchBackend?[] _dispatchOf;
    private readonly CryptodevBackend?[] _queueOf;
    private readonly DispatchOptions _dispatch;

    /// <summary>Opens the devices, whose environment runs.</summary>
    /// <exception cref="InvalidOperationException">A device is not there or refuses; the message says what to do.</exception>
    public CryptoDevices(DpdkConfig config, int lcores)
    {
        _deviceOf = new Cryptodev?[lcores];
        _dispatchOf = new DispatchBackend?[lcores];
        _queueOf = new CryptodevBackend?[lcores];
        _dispatch = new DispatchOptions
        {
            PreferDevice = config.Dispatch.PreferDevice,
            MinimumLength = config.Dispatch.MinimumLength,
            InFlightLimit = config.Dispatch.InFlightLimit,
            StallTimeout = TimeSpan.FromMilliseconds(config.Dispatch.StallMilliseconds),
            ErrorLimit = config.Dispatch.ErrorLimit,
        };
        int[] named = [.. config.Crypto.SelectMany(device => device.Lcores)];
        try
        {
            foreach (CryptoDeviceConfig crypto in config.Crypto)
            {
                IReadOnlyList<int> served = crypto.Lcores.Count != 0 ? crypto.Lcores : [.. Enumerable.Range(0, lcores).Except(named)];
                if (served.Count != 0)
                    Open(crypto, served);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The open devices.</summary>
    public IReadOnlyList<Cryptodev> Devices => _devices;

    /// <summary>The device of an lcore, for a look at where it is.</summary>
    public IReadOnlyList<NumaResource> ResourcesOf(int lcore) =>
        _deviceOf[lcore]?.Info is { } info ? [new NumaResource($"crypto device {info.Name}", info.IsHardware ? info.Socket : -1)] : [];

    /// <summary>Makes the engine of an lcore.</summary>
    /// <returns>Null where no device serves the lcore.</returns>
    public AeadEngine? TryCreateEngine(int lcore)
    {
        if (_deviceOf[lcore] is not { } device)
            return null;
        return DpdkEnvironment.Explain(() =>
        {
            _queueOf[lcore] = device.CreateBackend();
            _dispatchOf[lcore] = new DispatchBackend(_queueOf[lcore]!, CreateCpu(), _dispatch);
            return new AeadEngine(_dispatchOf[lcore]!, new OtherAlgorithmsBackend(CreateCpu()), AeadBackends.CreatePortable());
        });
    }

    /// <summary>The devices' counters of now, which their lcores alone write.</summary>
    public IReadOnlyList<CryptoDeviceStatus> ReadStatus() => [.. _devices.Select(device => new CryptoDeviceStatus
    {
        Name = device.Info.Name,
        Driver = device.Info.Driver,
        State = device.IsStopped ? CryptoDeviceState.Stopped : device.HasFailed ? CryptoDeviceState.Failed : CryptoDeviceState.Working,
        Queues = [.. Enumerable.Range(0, _deviceOf.Length).Where(lcore => _deviceOf[lcore] == device).Select(ReadQueue)],
    })];

    /// <summary>Closes the devices; the lcores' engines have been disposed of, and their keys retired.</summary>
    public void Dispose()
    {
        _devices.ForEach(device => device.Dispose());
        _devices.Clear();
    }

    private void Open(CryptoDeviceConfig crypto, IReadOnlyList<int> lcores)
    {
        CryptodevInfo info = DpdkEnvironment.Explain(() => Cryptodev.Find(crypto.Name));
        if (!info.SupportsAes128Gcm || !info.SupportsAes256Gcm)
            throw new InvalidOperationException($"{info.Name} ({info.Driver}) has no AES-GCM with keys of 128 and of 256 bits: use another device.");
        if (lcores.Count > info.MaxQueuePairs)
        {
            throw new InvalidOperationException(
                $"{info.Name} has {info.MaxQueuePairs} queue pairs, and {lcores.Count} lcores are to use it: name some of them (dpdk.crypto, lcores), and give the others another device or none.");
        }
        var options = new CryptodevOptions { QueuePairs = lcores.Count, Depth = crypto.Depth, Sessions = crypto.Sessions };
        Cryptodev device = DpdkEnvironment.Explain(() => Cryptodev.Open(info, options));
        _devices.Add(device);
        foreach (int lcore in lcores)
            _deviceOf[lcore] = device;
    }

    private CryptoQueueStatus ReadQueue(int lcore)
    {
        DispatchBackend? dispatch = _dispatchOf[lcore];
        CryptodevBackend? queue = _queueOf[lcore];
        return new CryptoQueueStatus
        {
            Lcore = lcore,
            ByDevice = Number(dispatch?.SentToDevice),
            ByCpu = Number(dispatch?.SentToCpu) + Number(queue?.DoneByCpu),
            DeviceErrors = Number(queue?.DeviceErrors),
            Retried = Number(dispatch?.Retried),
            Lost = Number(dispatch?.Lost),
        };
    }

    private static ulong Number(long? counter) => (ulong)(counter ?? 0);

    private static IAeadBackend CreateCpu() => AeadBackends.IsNativeSupported ? AeadBackends.CreateNative() : AeadBackends.CreateManaged();
}
