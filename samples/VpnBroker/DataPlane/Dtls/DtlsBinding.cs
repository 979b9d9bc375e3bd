using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Ports;
using CryptoPlane.Tls.Dtls;

namespace VpnBroker.DataPlane.Dtls;

/// <summary>What an lcore is told about a data channel: a block in native memory, with two traffic states behind it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal unsafe struct DtlsBinding
{
    /// <summary>The client's UDP address.</summary>
    public PacketEndpoint Peer;

    /// <summary>The lcore's port that the client's datagrams come by.</summary>
    public int Port;

    /// <summary>Set by the lcore when it has taken the keys.</summary>
    public int Taken;

    private const int States = 2;

    /// <summary>[0] opens what the client sends, [1] seals what it gets.</summary>
    // Sound: Create allocates the states behind the struct, whose size is a multiple of their alignment.
    public static DtlsTrafficState* StatesOf(DtlsBinding* binding) => (DtlsTrafficState*)(binding + 1);

    /// <summary>Makes a block of zeros.</summary>
    public static DtlsBinding* Create()
    {
        nuint size = (nuint)(sizeof(DtlsBinding) + (States * DtlsTrafficState.SizeInBytes));
        var binding = (DtlsBinding*)NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(binding, size);
        return binding;
    }

    /// <summary>Makes room for the states of a tunnel.</summary>
    public static DtlsTrafficState* CreateStates()
    {
        var states = (DtlsTrafficState*)NativeMemory.AlignedAlloc(States * DtlsTrafficState.SizeInBytes, 64);
        NativeMemory.Clear(states, States * DtlsTrafficState.SizeInBytes);
        return states;
    }

    /// <summary>Frees a block, and the keys if nobody has taken them. Control threads.</summary>
    public static void Free(DtlsBinding* binding)
    {
        if (binding->Taken == 0)
        {
            using AeadEngine engine = AeadEngine.CreateDefault();
            StatesOf(binding)[0].Release(engine);
            StatesOf(binding)[1].Release(engine);
        }
        NativeMemory.AlignedFree(binding);
    }
}
