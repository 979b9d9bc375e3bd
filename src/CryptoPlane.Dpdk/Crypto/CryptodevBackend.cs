using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>One queue pair of a crypto device as a backend of an lcore's <see cref="AeadEngine"/>: AES-GCM in bursts, without a copy.</summary>
/// <remarks>
/// <para>Buffers must lie in memory that the device reaches: any native memory for a software PMD, <see cref="DpdkPacketMemory"/> for hardware.</para>
/// <para>What the device cannot do (no data, more than 65,519 bytes, more AAD than it takes, no session left) is done by the CPU when its
/// turn comes in <see cref="Poll"/>, so that the order of completions stays that of submissions.</para>
/// <para>A key's session is made by its first operation of a direction and a length of AAD, out of memory that was reserved when the
/// device was opened.</para>
/// </remarks>
public sealed unsafe class CryptodevBackend : IAeadDevice
{
    private readonly Cryptodev _device;
    private readonly IAeadBackend _cpu = AeadBackends.CreateManaged();
    private readonly int _index;
    private nint _queue;
    private volatile bool _busy;
    private bool _abandoned;

    internal CryptodevBackend(Cryptodev device, int index, nint queue)
    {
        _device = device;
        _index = index;
        _queue = queue;
    }

    /// <inheritdoc/>
    public string Name => _device.Info.Name;

    /// <inheritdoc/>
    public AeadBackendKind Kind => _device.Kind;

    /// <inheritdoc/>
    public string Description => $"{Name}: AES-GCM by DPDK's {_device.Info.Driver}, queue pair {_index} of depth {_device.Options.Depth}";

    /// <inheritdoc/>
    public bool IsSynchronous => false;

    /// <inheritdoc/>
    public int InFlight { get; private set; }

    /// <inheritdoc/>
    public int Depth => _device.Options.Depth;

    /// <inheritdoc/>
    public bool IsHealthy => !_device.HasFailed;

    /// <summary>Whether the lcore is in a call of the device; see <see cref="Cryptodev.TryStopFailed"/>.</summary>
    internal bool IsBusy => _busy;

    /// <summary>Operations that the CPU did, since the device could not.</summary>
    public long DoneByCpu { get; private set; }

    /// <inheritdoc/>
    public long DeviceErrors { get; private set; }

    /// <inheritdoc/>
    public bool Supports(AeadAlgorithm algorithm) => algorithm switch
    {
        AeadAlgorithm.Aes128Gcm => _device.Info.SupportsAes128Gcm,
        AeadAlgorithm.Aes256Gcm => _device.Info.SupportsAes256Gcm,
        _ => false,
    };

    /// <inheritdoc/>
    public bool TryAttachKey(AeadKeyHandle key)
    {
        nint attachment = _device.AttachKey();
        key.Block->BackendSeal = attachment;
        return attachment != 0;
    }

    /// <inheritdoc/>
    public void DetachKey(AeadKeyHandle key)
    {
        _device.DetachKey(key.Block->BackendSeal);
        key.Block->BackendSeal = 0;
    }

    /// <inheritdoc/>
    public int Submit(AeadOperation* operations, int count)
    {
        if (!TryEnter())
            return 0;
        int taken = (int)NativeDpdk.QueuePairSubmit(_queue, operations, (uint)count);
        _busy = false;
        InFlight += taken;
        return taken;
    }

    /// <inheritdoc/>
    public int Poll(AeadOperation** completed, int capacity)
    {
        if (!TryEnter())
            return 0;
        uint others;
        int count = (int)NativeDpdk.QueuePairPoll(_queue, completed, (uint)capacity, &others);
        _busy = false;
        InFlight -= count;
        if (others != 0)
            LookAtOthers(completed, count);
        return count;
    }

    /// <summary>Looks at completions of which some are not successful.</summary>
    private void LookAtOthers(AeadOperation** completed, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (completed[i]->Status == AeadStatus.Pending)
            {
                _cpu.Submit(completed[i], 1);
                DoneByCpu++;
            }
            else if (completed[i]->Status == AeadStatus.BackendError)
            {
                DeviceErrors++;
            }
        }
    }

    /// <inheritdoc/>
    public bool TryAbandon()
    {
        _device.GiveUp();
        if (!TryEnter())
            return false;
        _busy = false;
        return true;
    }

    /// <summary>Gives the queue pair back.</summary>
    /// <exception cref="InvalidOperationException">Operations are in flight.</exception>
    public void Dispose()
    {
        if (_queue == 0)
            return;
        if (InFlight != 0 && !_abandoned)
            throw new InvalidOperationException("Operations are in flight: poll what was submitted before.");
        NativeDpdk.QueuePairClose(_queue);
        _queue = 0;
        _device.Release(_index);
        _cpu.Dispose();
    }

    /// <summary>
    /// Begins a call of the queue pair. One that was given up is entered again when its device has been stopped: everything fails then.
    /// </summary>
    private bool TryEnter()
    {
        _busy = true;
        if (!_device.HasFailed)
            return true;
        if (!_device.IsStopped)
        {
            _busy = false;
            return false;
        }
        if (!_abandoned)
            NativeDpdk.QueuePairAbandon(_queue);
        _abandoned = true;
        return true;
    }
}
