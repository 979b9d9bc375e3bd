using System.Runtime.CompilerServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Wire;

/// <summary>How ESP feeds an AEAD (RFC 4106 §4 and §5; RFC 7634 §2 does the same).</summary>
internal static unsafe class EspAead
{
    private const ushort AadSize = 8;
    private const ushort EsnAadSize = 12;

    /// <summary>AAD: SPI and sequence number, of which ESN authenticates the upper half too, though it is not sent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteAad(AeadOperation* operation, uint spiOnWire, ulong sequence, bool extended)
    {
        // Sound: the inline AAD has 16 bytes, and all of them are written.
        var aad = (uint*)operation->InlineAad;
        aad[0] = spiOnWire;
        if (extended)
        {
            *(ulong*)(aad + 1) = NetworkOrder.From(sequence);
            operation->AadLength = EsnAadSize;
        }
        else
        {
            aad[1] = NetworkOrder.From((uint)sequence);
            aad[2] = 0;
            operation->AadLength = AadSize;
        }
        aad[3] = 0;
    }

    /// <summary>Nonce: the SA's salt, then the packet's IV.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteNonce(AeadOperation* operation, uint salt, ulong ivOnWire)
    {
        *(uint*)operation->Nonce = salt;
        *(ulong*)(operation->Nonce + 4) = ivOnWire;
    }
}
