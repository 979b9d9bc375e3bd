namespace CryptoPlane.Aead;

/// <summary>
/// Something that carries out AEAD operations in bursts: CPU kernels, libcrypto, or a device behind a queue pair.
/// </summary>
/// <remarks>
/// <para>The shape is a device's: <see cref="Submit"/> takes as many operations of a burst as there is room for, <see cref="Poll"/>
/// gives completed ones back in the order of their submission. A synchronous backend takes every burst whole, has completed it when
/// <see cref="Submit"/> returns, and has nothing to poll. See <see cref="AeadOperation"/> for what belongs to the backend in between.</para>
/// <para>Threads: an instance belongs to one lcore (a queue pair, a scratch area).</para>
/// <para>Nothing here throws on the data path or allocates managed memory: results are in <see cref="AeadOperation.Status"/>.</para>
/// </remarks>
public unsafe interface IAeadBackend : IDisposable
{
    /// <summary>Short name for options and metrics, such as <c>managed</c>.</summary>
    string Name { get; }

    /// <summary>Which kind this is: at most one of a kind in an engine.</summary>
    AeadBackendKind Kind { get; }

    /// <summary>One line for people: which kernels or device, and why these.</summary>
    string Description { get; }

    /// <summary>Whether all work is done in <see cref="Submit"/>, as on the CPU.</summary>
    bool IsSynchronous { get; }

    /// <summary>Whether this backend can do <paramref name="algorithm"/> on this machine.</summary>
    bool Supports(AeadAlgorithm algorithm);

    /// <summary>
    /// Makes what the backend needs with a key (a cipher context, a device session), once per key, before its first operation.
    /// </summary>
    /// <returns>False if the backend cannot use the key (no sessions left): the engine then takes another backend.</returns>
    bool TryAttachKey(AeadKeyHandle key);

    /// <summary>Frees what <see cref="TryAttachKey"/> made. Called when nothing in flight uses the key any more.</summary>
    void DetachKey(AeadKeyHandle key);

    /// <summary>
    /// Submits a burst of operations that lie side by side, whose keys are attached to this kind of backend. A device's are
    /// <see cref="AeadStatus.Pending"/> from then on.
    /// </summary>
    /// <returns>How many were taken, from the front. Fewer than <paramref name="count"/> is back-pressure: poll, then submit the rest.</returns>
    int Submit(AeadOperation* operations, int count);

    /// <summary>Collects completed operations, in the order of their submission.</summary>
    /// <param name="completed">Receives pointers to the submitted descriptors, whose <see cref="AeadOperation.Status"/> is now set.</param>
    /// <param name="capacity">Room at <paramref name="completed"/>.</param>
    /// <returns>How many were collected; 0 when nothing has completed.</returns>
    int Poll(AeadOperation** completed, int capacity);

    /// <summary>Operations submitted and not yet collected.</summary>
    int InFlight { get; }
}
