using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>The end of an operation: its tag and its status.</summary>
internal static unsafe class GcmTag
{
    /// <summary>Seal: puts the tag behind the ciphertext. Open: compares it with the one there; the plaintext of a forged message becomes zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<TDirection>(AeadOperation* operation, Vector128<byte> tag)
        where TDirection : struct, IGcmDirection
    {
        if (TDirection.Seals)
            tag.Store(operation->Destination + operation->Length);
        else if (tag != Vector128.Load(operation->Source + operation->Length))
        {
            // One comparison of all 128 bits: no position of a difference shows in the time.
            Reject(operation);
            return;
        }
        operation->Status = AeadStatus.Success;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Reject(AeadOperation* operation)
    {
        NativeMemory.Clear(operation->Destination, operation->Length);
        operation->Status = AeadStatus.AuthenticationFailed;
    }
}
