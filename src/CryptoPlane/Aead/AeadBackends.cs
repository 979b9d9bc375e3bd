using CryptoPlane.Aead.Managed;
using CryptoPlane.Aead.Native;
using CryptoPlane.Aead.Portable;

namespace CryptoPlane.Aead;

/// <summary>The backends that the library itself brings.</summary>
public static unsafe class AeadBackends
{
    /// <summary>Whether the native library is there, and this CPU has what one of its tiers needs.</summary>
    public static bool IsNativeSupported => NativeAeadLibrary.Default?.Select(null).Length > 0;

    /// <summary>Whether this CPU has what the managed kernels need (AES-NI, PCLMULQDQ and SSSE3).</summary>
    public static bool IsManagedSupported => ManagedBackend.IsSupported;

    /// <summary>Native kernels: every algorithm.</summary>
    /// <param name="tier">A tier's name, or null for the fastest of this CPU that passes its self-test.</param>
    /// <exception cref="PlatformNotSupportedException">The library is missing, of another version, or has nothing for this CPU.</exception>
    /// <exception cref="InvalidOperationException">There is no such tier, or this CPU lacks it; or the self-test failed.</exception>
    public static IAeadBackend CreateNative(string? tier = null) =>
        CreateNative(tier, Environment.GetEnvironmentVariable(NativeAeadLibrary.PathVariable), log: null);

    private static NativeBackend CreateNative(string? tier, string? path, Action<string>? log)
    {
        (NativeAeadLibrary? library, string problem) = NativeAeadLibrary.Load(path);
        if (library == null)
        {
            throw new PlatformNotSupportedException(
                $"No native AEAD kernels: {problem}. Build them with eng/build-native.sh, name the file in {NativeAeadLibrary.PathVariable}, or take the managed backend.");
        }
        NativeAeadTier[] tiers = library.Select(tier);
        if (tiers.Length == 0)
            throw new PlatformNotSupportedException("No native AEAD kernels: none is for this CPU. Take the managed or the portable backend.");

        NativeAeadTier? right = tiers.FirstOrDefault(tier => tier.Failure.Value == null);
        string[] wrong = [.. tiers.TakeWhile(tier => tier != right).Select(tier => $"The AEAD tier {tier.Name} must not be used; {tier.Failure.Value}.")];
        if (right == null)
            throw new AeadSelfTestException(string.Join(" ", wrong));
        foreach (string line in wrong)
            log?.Invoke(line);
        return new NativeBackend(right);
    }

    /// <summary>Managed AES-NI kernels: AES-128-GCM and AES-256-GCM.</summary>
    /// <exception cref="PlatformNotSupportedException">The CPU lacks AES-NI, PCLMULQDQ or SSSE3.</exception>
    /// <exception cref="InvalidOperationException">The self-test failed.</exception>
    public static IAeadBackend CreateManaged() => Verified(new ManagedBackend(ManagedBackend.BestTier), s_managedFailure.Value);

    /// <summary>libcrypto's EVP: every algorithm, on every CPU.</summary>
    /// <exception cref="InvalidOperationException">The self-test failed.</exception>
    public static IAeadBackend CreatePortable() => Verified(new PortableBackend(), s_portableFailure.Value);

    // Once per process: a backend is verified before its first use.
    private static readonly Lazy<string?> s_managedFailure = new(() => AeadSelfTest.Failure(new ManagedBackend(ManagedBackend.BestTier)));
    private static readonly Lazy<string?> s_portableFailure = new(() => AeadSelfTest.Failure(new PortableBackend()));

    /// <summary>The backends for a choice, the preferred first.</summary>
    /// <param name="choice">Which backends.</param>
    /// <param name="tier">The native tier that is wanted, or null for the fastest.</param>
    /// <param name="library">The native library's file, or null for the usual places.</param>
    /// <param name="log">Receives why a faster backend is not used.</param>
    internal static IAeadBackend[] Create(AeadBackendChoice choice, string? tier, string? library, Action<string>? log)
    {
        switch (choice)
        {
            case AeadBackendChoice.Native:
                return [CreateNative(tier, library, log), CreatePortable()];
            case AeadBackendChoice.Managed:
                return [CreateManaged(), CreatePortable()];
            case AeadBackendChoice.Portable:
                return [CreatePortable()];
        }
        IAeadBackend? best = TryCreate(() => CreateNative(tier, library, log), log);
        if (best == null && IsManagedSupported)
            best = TryCreate(CreateManaged, log);
        return best != null ? [best, CreatePortable()] : [CreatePortable()];
    }

    /// <summary>Makes a backend, or says why not.</summary>
    internal static IAeadBackend? TryCreate(Func<IAeadBackend> create, Action<string>? log)
    {
        try
        {
            return create();
        }
        catch (Exception e) when (e is PlatformNotSupportedException or AeadSelfTestException)
        {
            log?.Invoke(e.Message);
            return null;
        }
    }

    /// <summary>Lets a backend pass that its self-test found right.</summary>
    internal static IAeadBackend Verified(IAeadBackend backend, string? failure) =>
        failure == null ? backend : throw new AeadSelfTestException($"The AEAD backend must not be used; {failure}.");

    /// <summary>Expands a new key for the CPU kernels, so that its first packet does not wait for it.</summary>
    internal static void Expand(AeadKeyBlock* block)
    {
        // ChaCha20 has no key schedule: native kernels find the key where the round keys are.
        if (block->Algorithm == AeadAlgorithm.ChaCha20Poly1305)
            new ReadOnlySpan<byte>(block->RawKey, AeadKeyBlock.RawKeySize).CopyTo(new Span<byte>(block->RoundKeys, AeadKeyBlock.RawKeySize));
        else if (ManagedBackend.IsSupported)
            ManagedBackend.ExpandKey(block);
        else
            NativeAeadLibrary.Default?.TryExpandKey(block);
    }

    /// <summary>Detaches a key from a CPU backend, without an engine that has it.</summary>
    /// <returns>False if the key is attached to a backend that only its engine can free.</returns>
    internal static bool TryDetach(AeadKeyHandle key)
    {
        switch (key.Block->Backend)
        {
            case AeadBackendKind.None or AeadBackendKind.Managed or AeadBackendKind.Native:
                key.Block->Backend = AeadBackendKind.None;
                return true;
            case AeadBackendKind.Portable:
                PortableBackend.FreeContexts(key.Block);
                key.Block->Backend = AeadBackendKind.None;
                return true;
            default:
                return false;
        }
    }
}
