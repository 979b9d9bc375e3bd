namespace CryptoPlane.Aead;

/// <summary>
/// An AEAD key, expanded in native memory and zeroed when it is freed. It shows nothing of itself: no export, no text.
/// </summary>
/// <remarks>
/// <para>Create a key on a control thread (AES key expansion and the powers of H cost about a microsecond). Either the object stays
/// the owner and <see cref="Dispose"/> frees the key, or <see cref="Detach"/> hands it to unmanaged state on an lcore, which gives
/// it back with <see cref="AeadEngine.Retire"/>.</para>
/// <para>A key is used by one lcore at a time; it may move while nothing is in flight.</para>
/// </remarks>
public sealed unsafe class AeadKey : IDisposable
{
    private AeadKeyBlock* _block;

    private AeadKey(AeadKeyBlock* block) => _block = block;

    /// <summary>Expands a key.</summary>
    /// <param name="algorithm">The algorithm that the key is for.</param>
    /// <param name="key">16 or 32 bytes, as <see cref="AeadSizes.Key"/> says. The caller zeroes its own copy.</param>
    /// <exception cref="ArgumentException">The key has another size.</exception>
    public static AeadKey Create(AeadAlgorithm algorithm, ReadOnlySpan<byte> key) => new(CreateBlock(algorithm, key));

    /// <summary>Expands a key straight into unmanaged state, for an lcore (a TLS KeyUpdate): no managed memory is allocated.</summary>
    /// <inheritdoc cref="Create" path="/param|/exception"/>
    /// <returns>A handle that its holder owns, and gives back with <see cref="AeadEngine.Retire"/>.</returns>
    public static AeadKeyHandle CreateDetached(AeadAlgorithm algorithm, ReadOnlySpan<byte> key) => new(CreateBlock(algorithm, key));

    /// <summary>The same, into an arena that holds the keys of one lcore side by side. For the control thread that fills the arena.</summary>
    /// <param name="algorithm">The algorithm that the key is for.</param>
    /// <param name="key">16 or 32 bytes, as <see cref="AeadSizes.Key"/> says. The caller zeroes its own copy.</param>
    /// <param name="arena">Takes the key, and outlives it.</param>
    /// <returns>A handle that its holder owns, and gives back with <see cref="AeadEngine.Retire"/>.</returns>
    /// <exception cref="ArgumentException">The key has another size.</exception>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    public static AeadKeyHandle CreateDetached(AeadAlgorithm algorithm, ReadOnlySpan<byte> key, AeadKeyArena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        return new AeadKeyHandle(CreateBlock(algorithm, key, arena));
    }

    /// <summary>The key's unmanaged form; the object stays the owner.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed of or detached.</exception>
    public AeadKeyHandle Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_block == null, this);
            return new AeadKeyHandle(_block);
        }
    }

    /// <summary>Hands the key over to whoever holds the returned handle; this object is then as if disposed of.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed of or detached.</exception>
    public AeadKeyHandle Detach()
    {
        AeadKeyHandle handle = Handle;
        _block = null;
        return handle;
    }

    /// <summary>Zeroes and frees the key.</summary>
    /// <exception cref="InvalidOperationException">
    /// Operations that use the key are in flight (poll them first), or a device holds a session for it (retire it on its engine).
    /// </exception>
    public void Dispose()
    {
        if (_block == null)
            return;
        if (_block->InFlight != 0)
            throw new InvalidOperationException("Operations with this key are in flight: poll their completions before disposing of it.");
        if (!AeadBackends.TryDetach(new AeadKeyHandle(_block)))
            throw new InvalidOperationException("The key is attached to a device: give it back with engine.Retire(key.Detach()).");
        AeadKeyBlock.Free(_block);
        _block = null;
    }

    private static AeadKeyBlock* CreateBlock(AeadAlgorithm algorithm, ReadOnlySpan<byte> key, AeadKeyArena? arena = null)
    {
        if (key.Length != AeadSizes.Key(algorithm))
            throw new ArgumentException($"A key of {algorithm} has {AeadSizes.Key(algorithm)} bytes, not {key.Length}.", nameof(key));
        return AeadKeyBlock.Create(algorithm, key, arena);
    }
}
