using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>What is remembered of one direction of a TCP connection.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TcpSide
{
    /// <summary>The sequence number behind the last byte that this side has sent.</summary>
    internal uint Next;

    /// <summary>The last acknowledgement that this side has sent: what it expects next.</summary>
    internal uint Acknowledged;
}

/// <summary>
/// Follows TCP connections (RFC 9293) from outside: the handshake, both FINs, RSTs. A RST or FIN counts only where its sequence number is
/// one that the receiver can be waiting for, so that who does not see the packets cannot end an entry.
/// </summary>
/// <remarks>It drops nothing: what a packet does to the receiver is the receiver's business.</remarks>
public static unsafe class TcpTracker
{
    /// <summary>FIN.</summary>
    public const byte Fin = 0x01;

    /// <summary>SYN.</summary>
    public const byte Syn = 0x02;

    /// <summary>RST.</summary>
    public const byte Rst = 0x04;

    /// <summary>ACK.</summary>
    public const byte Ack = 0x10;

    /// <summary>
    /// How far a sequence number may be from what is expected. RFC 7323 §2.3 allows windows of 2^30; connections with more than 32 MiB
    /// in flight are followed by their next packet.
    /// </summary>
    private const int Reach = 1 << 25;

    private const byte HasForward = 1, HasReverse = 2;

    /// <summary>Whether a packet begins a new connection where an old one of the same ports has ended.</summary>
    public static bool IsNewConnection(TcpState state, byte flags) =>
        state is TcpState.Closed or TcpState.Reset && (flags & (Syn | Ack | Rst | Fin)) == Syn;

    /// <summary>Takes a packet into account.</summary>
    /// <param name="session">The session.</param>
    /// <param name="header">The TCP header.</param>
    /// <param name="available">Bytes of header and payload; 20 at least.</param>
    /// <param name="isReverse">Whether the responder sent it.</param>
    /// <returns>True when the state has changed.</returns>
    // Sound: the first 16 of the 20 bytes are read.
    public static bool Take(SessionState* session, byte* header, int available, bool isReverse)
    {
        byte flags = header[13];
        uint sequence = NetworkBytes.Read32(header + 4);
        uint acknowledgement = NetworkBytes.Read32(header + 8);
        int payload = Math.Max(0, available - ((header[12] >> 4) * 4));
        uint end = sequence + (uint)payload + (uint)(flags & Fin) + (uint)((flags & Syn) >> 1);

        TcpSide* own = isReverse ? &session->ReverseTcp : &session->ForwardTcp;
        TcpSide* other = isReverse ? &session->ForwardTcp : &session->ReverseTcp;
        byte ownSeen = isReverse ? HasReverse : HasForward;
        bool isOwnKnown = (session->TcpSeen & ownSeen) != 0;
        bool isOtherKnown = (session->TcpSeen & (ownSeen ^ (HasForward | HasReverse))) != 0;
        TcpState before = session->Tcp;

        if ((flags & Rst) != 0)
        {
            // RFC 9293 §3.10.7.3: a RST answers a SYN by its ACK; RFC 5961 §3.2: else its sequence number is exactly the expected one.
            bool counts = before == TcpState.None
                || (before == TcpState.SynSent && isReverse && (flags & Ack) != 0 && acknowledgement == other->Next)
                || (isOwnKnown && sequence == own->Next)
                || (isOtherKnown && (session->TcpAcked & (byte)(ownSeen ^ (HasForward | HasReverse))) != 0 && sequence == other->Acknowledged);
            if (counts)
                session->Tcp = TcpState.Reset;
            return session->Tcp != before;
        }

        // A SYN's number is anybody's; others are near to what was seen, or they are not of this connection.
        bool isSyn = (flags & Syn) != 0;
        if (!isSyn && isOwnKnown && !IsNear(sequence, own->Next))
            return false;
        if (isSyn && before >= TcpState.Established)
            return false;
        Note(session, own, ownSeen, isOwnKnown && !isSyn, end);
        if ((flags & Ack) != 0 && (!isOtherKnown || IsNear(acknowledgement, other->Next)))
        {
            bool isFirst = (session->TcpAcked & ownSeen) == 0;
            if (isFirst || (int)(acknowledgement - own->Acknowledged) > 0)
                own->Acknowledged = acknowledgement;
            session->TcpAcked |= ownSeen;
        }
        session->Tcp = Next(session, before, flags, isReverse);
        return session->Tcp != before;
    }

    private static TcpState Next(SessionState* session, TcpState state, byte flags, bool isReverse)
    {
        switch (state)
        {
            case TcpState.None when (flags & (Syn | Ack)) == Syn:
                return TcpState.SynSent;
            case TcpState.None:
                // Its beginning went by before this program ran, or another way.
                session->Flags |= SessionFlags.PickedUp;
                state = (flags & Syn) != 0 ? TcpState.SynReceived : TcpState.Established;
                break;
            case TcpState.SynSent when isReverse && (flags & Syn) != 0:
                // With ACK it is the answer; without, both have begun at once (RFC 9293 §3.5).
                return TcpState.SynReceived;
            case TcpState.SynSent when (flags & (Syn | Ack)) == Ack:
                // The answer went another way.
                session->Flags |= SessionFlags.PickedUp;
                state = TcpState.Established;
                break;
            case TcpState.SynReceived when (flags & (Syn | Ack)) == Ack:
                state = TcpState.Established;
                break;
        }
        if ((flags & Fin) == 0 || state is TcpState.Closed or TcpState.Reset)
            return state;
        return (state, isReverse) switch
        {
            (TcpState.InitiatorClosed, true) or (TcpState.ResponderClosed, false) => TcpState.Closed,
            (TcpState.InitiatorClosed or TcpState.ResponderClosed, _) => state,
            (_, false) => TcpState.InitiatorClosed,
            (_, true) => TcpState.ResponderClosed,
        };
    }

    private static void Note(SessionState* session, TcpSide* side, byte seen, bool isKnown, uint end)
    {
        if (!isKnown || (int)(end - side->Next) > 0)
            side->Next = end;
        session->TcpSeen |= seen;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNear(uint number, uint expected) => (int)(number - expected) is > -Reach and < Reach;
}
