using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>Where the AAD of small messages lies, as a type: nearly all have at most 16 bytes, which is one block in the descriptor.</summary>
internal unsafe interface IAadSource
{
    /// <summary>The hash of the AAD, not yet multiplied by H.</summary>
    static abstract Vector128<ulong> Hash(AeadOperation* operation);
}

/// <summary>At most 16 bytes, in the descriptor.</summary>
internal readonly unsafe struct InlineAad : IAadSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Hash(AeadOperation* operation) => Ghash.InlineAad(operation);
}

/// <summary>Of any length.</summary>
internal readonly unsafe struct AnyAad : IAadSource
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Hash(AeadOperation* operation) => Ghash.Aad(operation);
}
