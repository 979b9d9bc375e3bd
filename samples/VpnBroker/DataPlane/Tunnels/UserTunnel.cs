using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Ports;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Tunnels;

/// <summary>Where a user tunnel is in its life.</summary>
internal enum TunnelState : byte
{
    /// <summary>The slot is free: it belongs to the supervisor.</summary>
    Free = 0,

    /// <summary>Packets flow.</summary>
    Open,

    /// <summary>It ends: what the client is told waits to be sealed.</summary>
    Closing,

    /// <summary>The client was told; unsent bytes have a little time to leave.</summary>
    Draining,

    /// <summary>Everything was sent: what still comes is thrown away until the client closes.</summary>
    Lingering,

    /// <summary>The socket is closed; the supervisor is still to be told.</summary>
    Ended,
}

/// <summary>What a client is told when its tunnel ends.</summary>
internal enum Farewell : byte
{
    /// <summary>Nothing: the connection is gone, or another took its place.</summary>
    None,

    /// <summary>close_notify.</summary>
    CloseNotify,

    /// <summary>A CSTP DISCONNECT, then close_notify.</summary>
    Disconnect,

    /// <summary>A fatal TLS alert.</summary>
    Alert,
}

/// <summary>Things that a tunnel owes or waits for.</summary>
[Flags]
internal enum TunnelFlags : byte
{
    None = 0,

    /// <summary>In the list of tunnels that have something to seal.</summary>
    Active = 1,

    /// <summary>The socket is full: epoll says when it is not.</summary>
    AwaitsWritable = 2,

    /// <summary>A KeyUpdate goes out before the next data.</summary>
    KeyUpdateOwed = 4,

    /// <summary>That KeyUpdate asks for the peer's.</summary>
    KeyUpdateAsks = 8,

    /// <summary>A KeyUpdate is in the burst that is being sealed.</summary>
    KeyUpdateInBurst = 16,

    /// <summary>It has bytes in the receive area by now: what the socket has comes behind them, in the next turn.</summary>
    Received = 32,

    /// <summary>Data goes by DTLS.</summary>
    Dtls = 64,

    /// <summary>The client's UDP address is another one; the supervisor is still to be told.</summary>
    DtlsMoved = 128,
}

/// <summary>
/// One user tunnel: unmanaged, in its lcore's arena. The supervisor chooses the slot and reads counters; everything else is the lcore's.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct UserTunnel
{
    /// <summary>[0] opens what the client sends, [1] seals what it gets.</summary>
    public TlsTrafficState* Traffic;

    public int Socket;
    public TunnelState State;
    public TunnelFlags Flags;
    public Farewell Farewell;
    public TunnelEndReason EndReason;
    public TlsAlert Alert;

    /// <summary>The inner MTU, in bytes.</summary>
    public int Mtu;

    /// <summary>Bound of <see cref="Unsent"/>, in bytes.</summary>
    public int UnsentBound;

    /// <summary>Packets to be sealed, linked through <see cref="Pipeline.PacketMeta.Next"/>.</summary>
    public PacketBuffer* OutHead;
    public PacketBuffer* OutTail;

    /// <summary>The next tunnel with something to seal, or -1.</summary>
    public int NextActive;

    /// <summary>Clock values in milliseconds since the lcore's start.</summary>
    public long LastReceived;
    public long LastSent;
    public long LastPacket;
    public long DpdAsked;
    public long CloseDeadline;

    public int DpdSeconds;
    public int KeepaliveSeconds;
    public int IdleSeconds;

    /// <summary>The epoch of the reading key for which the peer was asked to update, plus one; 0 for none.</summary>
    public uint AskedEpoch;

    /// <summary>Sealed bytes that the socket has not taken.</summary>
    public ByteQueue Unsent;

    /// <summary>The beginning of a record whose rest has not come.</summary>
    public ByteQueue Partial;

    /// <summary>
    /// The data channel's keys, [0] opens and [1] seals; empty while there is none, null where none was offered. The supervisor frees the block.
    /// </summary>
    public DtlsTrafficState* Dtls;

    /// <summary>The client's UDP address, and the lcore's port that it comes by.</summary>
    public PacketEndpoint DtlsPeer;
    public int DtlsPort;

    /// <summary>Probes since the last record of the client.</summary>
    public byte DtlsProbes;

    /// <summary>As <see cref="LastReceived"/>, of DTLS: the last record that was opened, the last that was sent, the last probe.</summary>
    public long DtlsReceived;
    public long DtlsSent;
    public long DtlsProbed;

    public ulong TunnelId;
    public ulong SessionId;

    /// <summary>Whose packets come out of it, as policies have it; 0 for nobody whom rules about users are about.</summary>
    public uint Subject;

    public InnerAddress IPv4;
    public InnerAddress IPv6;

    /// <summary>Seen from the broker: received is what the user sent.</summary>
    public PortCounters Counters;

    /// <summary>Packets from or to this user that were dropped.</summary>
    public ulong Drops;

    /// <summary>What the user gets where traffic is managed.</summary>
    public Queueing.TunnelLimits Limits;

    /// <summary>The connection as captures show it.</summary>
    public CaptureConnection Capture;
}
