using CryptoPlane.Aead;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>A crypto device of DPDK: QuickAssist, or a software PMD.</summary>
/// <remarks>
/// <para>Call order, on a control thread: <see cref="Find"/> or <see cref="List"/> · <see cref="Open"/> · <see cref="CreateBackend"/> once
/// per lcore · (the lcores work) · dispose of the engines, which own the backends · <see cref="Dispose"/>.</para>
/// <para>A device that fails is given up by all its lcores at once: none submits or polls any more. A control thread that calls
/// <see cref="TryStopFailed"/> every few milliseconds stops it then, and only after that do operations that were in flight come back: with
/// <see cref="AeadStatus.BackendError"/>, or done by the CPU under a <see cref="Aead.Dispatch.DispatchBackend"/>.</para>
/// <para>Sessions belong to the device, so that a key moves between the lcores that have a queue pair of it.</para>
/// </remarks>
public sealed unsafe class Cryptodev : IDisposable
{
    private readonly CryptodevBackend?[] _backends;
    private nint _device;
    private volatile bool _failed, _stopped;

    private Cryptodev(CryptodevInfo info, CryptodevOptions options, nint device)
    {
        Info = info;
        Options = options;
        _device = device;
        _backends = new CryptodevBackend?[options.QueuePairs];
        // Every device has sessions of its own, so it is a kind by itself; DPDK numbers at most 64 of them.
        Kind = (AeadBackendKind)((int)AeadBackendKind.Custom + info.Id);
    }

    /// <summary>What the device is.</summary>
    public CryptodevInfo Info { get; }

    /// <summary>How it was opened.</summary>
    public CryptodevOptions Options { get; }

    /// <summary>The kind of backend that its queue pairs are.</summary>
    public AeadBackendKind Kind { get; }

    /// <summary>Whether the device was given up; lcores send it nothing more.</summary>
    public bool HasFailed => _failed;

    /// <summary>Whether the device was stopped after that, so that it touches no buffer any more.</summary>
    public bool IsStopped => _stopped;

    /// <summary>By queue pair: the backend that has it, or null.</summary>
    public IReadOnlyList<CryptodevBackend?> Backends => _backends;

    /// <summary>All crypto devices that the EAL found.</summary>
    public static IReadOnlyList<CryptodevInfo> List()
    {
        Eal.ThrowIfNotInitialized();
        return [.. Enumerable.Range(0, NativeDpdk.CryptodevCount()).Select(Describe)];
    }

    /// <summary>The device of a name, or, for a driver's name such as <c>crypto_qat</c>, the first device of that driver.</summary>
    /// <exception cref="DpdkException">There is none; the message lists those that there are.</exception>
    public static CryptodevInfo Find(string nameOrDriver)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrDriver);
        IReadOnlyList<CryptodevInfo> devices = List();
        return devices.FirstOrDefault(device => device.Name == nameOrDriver)
            ?? devices.FirstOrDefault(device => device.Name.StartsWith(nameOrDriver + "_", StringComparison.Ordinal))
            ?? devices.FirstOrDefault(device => device.Driver == nameOrDriver)
            ?? throw new DpdkException(devices.Count == 0
                ? $"There is no crypto device '{nameOrDriver}', nor any other: name it in EalOptions (VirtualDevices or PciDevices), and look at the EAL's messages on standard error."
                : $"There is no crypto device '{nameOrDriver}'. There are: {string.Join(", ", devices.Select(device => device.Name))}.");
    }

    /// <summary>Configures and starts a device.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of the device's range.</exception>
    /// <exception cref="DpdkException">The device refuses.</exception>
    public static Cryptodev Open(CryptodevInfo info, CryptodevOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(info);
        options ??= new CryptodevOptions();
        options.Validate(info);
        nint device;
        int error = NativeDpdk.CryptodevOpen(info.Id, (uint)options.QueuePairs, (uint)options.Depth, (uint)options.Sessions, &device);
        if (error != 0)
            throw new DpdkException($"{info.Name} cannot be opened with {options.QueuePairs} queue pairs of depth {options.Depth} and {options.Sessions} sessions: lower them, or raise EalOptions.MemoryMegabytes", error);
        return new Cryptodev(info, options, device);
    }

    /// <summary>Makes a backend on a queue pair that no other backend has, for the engine of one lcore.</summary>
    /// <exception cref="InvalidOperationException">All queue pairs are in use: open the device with more of them.</exception>
    /// <exception cref="PlatformNotSupportedException">The CPU lacks AES-NI, which does what a device cannot (messages without data).</exception>
    public CryptodevBackend CreateBackend()
    {
        ObjectDisposedException.ThrowIf(_device == 0, this);
        int index = Array.IndexOf(_backends, null);
        if (index < 0)
            throw new InvalidOperationException($"All {_backends.Length} queue pairs of {Info.Name} are in use: open it with more (CryptodevOptions.QueuePairs).");
        nint queue;
        int error = NativeDpdk.QueuePairOpen(_device, (uint)index, &queue);
        if (error != 0)
            throw new DpdkException($"Queue pair {index} of {Info.Name} cannot be opened", error);
        return _backends[index] = new CryptodevBackend(this, index, queue);
    }

    /// <summary>Stops the device.</summary>
    /// <exception cref="InvalidOperationException">Queue pairs are in use, or keys are attached: dispose of the engines and retire the keys first.</exception>
    public void Dispose()
    {
        if (_device == 0)
            return;
        if (Backends.Any(backend => backend != null))
            throw new InvalidOperationException($"Queue pairs of {Info.Name} are in use: dispose of the engines that have them first.");
        if (NativeDpdk.CryptodevClose(_device) != 0)
            throw new InvalidOperationException($"Keys are attached to {Info.Name}: retire them first.");
        _device = 0;
    }

    /// <summary>Gives the device up, from any thread: it was unplugged, or an lcore found it stalled.</summary>
    public void GiveUp() => _failed = true;

    /// <summary>Stops a device that was given up, unless an lcore is in a call of it at this moment. For one control thread.</summary>
    /// <returns>Whether it is stopped. False as well while nothing is wrong with it.</returns>
    public bool TryStopFailed()
    {
        if (!_failed || _stopped)
            return _stopped;
        // An lcore says that it is busy, then looks whether the device has failed, without a fence of its own: this one, on all CPUs,
        // takes its place. Whoever is not seen as busy now will see that the device has failed.
#pragma warning disable RS0030 // Rule 1 keeps fences off the data path; this is a control thread's.
        Interlocked.MemoryBarrierProcessWide();
#pragma warning restore RS0030
        if (Array.TrueForAll(_backends, backend => backend == null || !backend.IsBusy))
        {
            NativeDpdk.CryptodevStop(_device);
            _stopped = true;
        }
        return _stopped;
    }

    internal nint AttachKey() => NativeDpdk.KeyAttach(_device);

    internal void DetachKey(nint attachment) => NativeDpdk.KeyDetach(_device, attachment);

    internal void Release(int queuePair) => _backends[queuePair] = null;

    private static CryptodevInfo Describe(int id)
    {
        CryptodevDescription description;
        int error = NativeDpdk.CryptodevDescribe(id, &description);
        return error == 0 ? new CryptodevInfo(id, in description) : throw new DpdkException($"Crypto device {id} cannot be described", error);
    }
}
