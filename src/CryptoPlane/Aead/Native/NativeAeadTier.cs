using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead.Native;

/// <summary>The kernels of native/aead for one class of CPU: its <c>cp_aead_tier</c>.</summary>
/// <remarks>Sound: a tier is a constant of the library, which is never unloaded.</remarks>
internal sealed unsafe class NativeAeadTier
{
    private readonly Layout* _tier;
    private readonly Lazy<bool> _hasChaCha20Poly1305;

    internal NativeAeadTier(nint tier)
    {
        _tier = (Layout*)tier;
        Name = Marshal.PtrToStringUTF8((nint)_tier->Name)!;
        Instructions = Marshal.PtrToStringUTF8((nint)_tier->Instructions)!;
        IsSupported = _tier->IsSupported() != 0;
        _hasChaCha20Poly1305 = new Lazy<bool>(() => PublishedAnswer.ChaCha20Poly1305.IsCarriedOutBy(this));
        Failure = new Lazy<string?>(() => AeadSelfTest.Failure(new NativeBackend(this)));
    }

    /// <summary>For options, such as <c>vaes512</c>.</summary>
    public string Name { get; }

    /// <summary>What it needs, for people.</summary>
    public string Instructions { get; }

    /// <summary>Whether this CPU and operating system have that.</summary>
    public bool IsSupported { get; }

    /// <summary>Whether the tier does ChaCha20-Poly1305 too: found by asking it, once per process.</summary>
    public bool HasChaCha20Poly1305 => _hasChaCha20Poly1305.Value;

    /// <summary>What the self-test found, once per process; null if all is well.</summary>
    public Lazy<string?> Failure { get; }

    /// <summary>Carries out a burst.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Run(AeadOperation* operations, int count)
    {
        // A call that holds up the garbage collector saves some nanoseconds, and is right only where it is far below a microsecond: one
        // message of few bytes, its AAD counted.
        if (count == 1 && operations->Length + operations->AadLength <= ShortLength)
            ((delegate* unmanaged[SuppressGCTransition]<AeadOperation*, nuint, void>)_tier->Run)(operations, 1);
        else
            ((delegate* unmanaged<AeadOperation*, nuint, void>)_tier->Run)(operations, (nuint)count);
    }

    private const uint ShortLength = 256;

    [StructLayout(LayoutKind.Sequential)]
    private struct Layout
    {
        public byte* Name;
        public byte* Instructions;
        public delegate* unmanaged<int> IsSupported;
        public void* Run;
    }
}
