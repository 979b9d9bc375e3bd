using System.Runtime.InteropServices;
using CryptoPlane.Flows.Sessions;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>Which sessions are wanted: unmanaged, so that an lcore looks for itself. The default takes all.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct FlowFilter
{
    /// <summary>Users' sessions that can be named.</summary>
    public const int MaximumUsers = 32;

    private fixed ulong _users[MaximumUsers];
    private int _userCount;

    /// <summary>Bits of <see cref="Prefix"/> that count, of 128; 0: all addresses.</summary>
    public int PrefixLength;

    /// <summary>The address of one of the ends; IPv4 as IPv4-mapped.</summary>
    public SessionAddress Prefix;

    /// <summary>Which ESP tunnel, plus 1; 0: any or none.</summary>
    public int EspTunnel;

    /// <summary>The port of one of the ends; with <see cref="HasPort"/>.</summary>
    public ushort Port;

    /// <summary>Whether a port is asked for.</summary>
    public bool HasPort;

    /// <summary>The protocol's number; with <see cref="HasProtocol"/>.</summary>
    public byte Protocol;

    /// <summary>Whether a protocol is asked for.</summary>
    public bool HasProtocol;

    /// <summary>States of TCP as bits; 0: all, and other protocols.</summary>
    public uint States;

    /// <summary>What one of the ends is; <see cref="FlowTunnelKind.None"/>: anything.</summary>
    public FlowTunnelKind Kind;

    /// <summary>Whether only sessions are wanted that the policy denies.</summary>
    public bool OnlyDenied;

    /// <summary>Adds a user's session: it is enough when one of those that were added takes part.</summary>
    /// <returns>False when there are <see cref="MaximumUsers"/>.</returns>
    public bool TryAddUser(ulong session)
    {
        if (_userCount == MaximumUsers)
            return false;
        _users[_userCount++] = session;
        return true;
    }

    /// <summary>Whether a session is wanted.</summary>
    public readonly bool Takes(in SessionKey key, in SessionState state) =>
        (!HasProtocol || key.Protocol == Protocol)
        && (!HasPort || (key.HasPorts && (key.LowerPort == Port || key.UpperPort == Port)))
        && (PrefixLength == 0 || IsInside(key.Lower) || IsInside(key.Upper))
        && (States == 0 || (key.HasPorts && key.Protocol == 6 && (States >> (int)state.Tcp & 1) != 0))
        && (Kind == FlowTunnelKind.None || state.IngressKind == Kind || state.EgressKind == Kind)
        && (EspTunnel == 0 || IsEsp(state.IngressKind, state.IngressId) || IsEsp(state.EgressKind, state.EgressId))
        && (!OnlyDenied || (state.Flags & SessionFlags.Denied) != 0)
        && (_userCount == 0 || IsUser(state.IngressKind, state.IngressId) || IsUser(state.EgressKind, state.EgressId));

    private readonly bool IsEsp(FlowTunnelKind kind, ulong id) => kind == FlowTunnelKind.Esp && id == (ulong)(EspTunnel - 1);

    private readonly bool IsInside(SessionAddress address)
    {
        ulong high = PrefixLength >= 64 ? ulong.MaxValue : ~(ulong.MaxValue >> PrefixLength);
        ulong low = PrefixLength <= 64 ? 0 : PrefixLength == 128 ? ulong.MaxValue : ~(ulong.MaxValue >> (PrefixLength - 64));
        return ((address.High ^ Prefix.High) & high) == 0 && ((address.Low ^ Prefix.Low) & low) == 0;
    }

    // Sound: the count is at most the buffer's length.
    private readonly bool IsUser(FlowTunnelKind kind, ulong id)
    {
        for (int i = 0; kind == FlowTunnelKind.User && i < _userCount; i++)
        {
            if (_users[i] == id)
                return true;
        }
        return false;
    }
}

/// <summary>One session as an lcore copied it for a reader.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowView
{
    /// <summary>Its key; of no kind at the end of what an lcore has.</summary>
    public SessionKey Key;

    /// <summary>Its state.</summary>
    public SessionState State;

    /// <summary>The lcore's clock when it was copied, as the state's times.</summary>
    public long Now;

    /// <summary>Which reading it is of.</summary>
    public int Reading;

    /// <summary>The lcore.</summary>
    public int Lcore;
}
