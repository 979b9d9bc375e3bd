using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>Which of the times a session lives by.</summary>
public enum SessionTimer : byte
{
    /// <summary>TCP in its handshake.</summary>
    TcpOpening = 0,

    /// <summary>TCP that flows.</summary>
    TcpEstablished = 1,

    /// <summary>TCP with a FIN from one side.</summary>
    TcpClosing = 2,

    /// <summary>TCP with FINs from both, or a RST.</summary>
    TcpClosed = 3,

    /// <summary>UDP to which nobody has answered.</summary>
    UdpUnanswered = 4,

    /// <summary>UDP both ways.</summary>
    UdpAnswered = 5,

    /// <summary>ICMP.</summary>
    Icmp = 6,

    /// <summary>Other protocols, unreadable packets and fragments without their first.</summary>
    Other = 7,
}

/// <summary>How long sessions live: unmanaged, so that an lcore has its own copy.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SessionTimeouts
{
    private const int Timers = 8;
    private const long Second = 1_000_000_000;
    private const byte Icmp = 1, Tcp = 6, Udp = 17, IcmpV6 = 58, UdpLite = 136;

    private fixed long _idle[Timers];
    private fixed long _absolute[Timers];

    /// <summary>
    /// What suits most networks: handshakes 30 s, established TCP 1 h, half-closed 2 min, closed 10 s, UDP 30 s and once answered 3 min,
    /// ICMP 10 s, others 2 min; no absolute end. An entry that ended early begins again with the next packet, in the middle.
    /// </summary>
    public static SessionTimeouts Default
    {
        get
        {
            var times = default(SessionTimeouts);
            times.SetIdle(SessionTimer.TcpOpening, 30 * Second);
            times.SetIdle(SessionTimer.TcpEstablished, 3600 * Second);
            times.SetIdle(SessionTimer.TcpClosing, 120 * Second);
            times.SetIdle(SessionTimer.TcpClosed, 10 * Second);
            times.SetIdle(SessionTimer.UdpUnanswered, 30 * Second);
            times.SetIdle(SessionTimer.UdpAnswered, 180 * Second);
            times.SetIdle(SessionTimer.Icmp, 10 * Second);
            times.SetIdle(SessionTimer.Other, 120 * Second);
            return times;
        }
    }

    /// <summary>Which timer a session has now.</summary>
    public static SessionTimer TimerOf(in SessionKey key, in SessionState state) => key.Kind switch
    {
        SessionKeyKind.Ports when key.Protocol == Tcp => state.Tcp switch
        {
            TcpState.Established => SessionTimer.TcpEstablished,
            TcpState.InitiatorClosed or TcpState.ResponderClosed => SessionTimer.TcpClosing,
            TcpState.Closed or TcpState.Reset => SessionTimer.TcpClosed,
            _ => SessionTimer.TcpOpening,
        },
        SessionKeyKind.Ports when key.Protocol is Udp or UdpLite => (state.Flags & SessionFlags.Answered) != 0 ? SessionTimer.UdpAnswered : SessionTimer.UdpUnanswered,
        _ when key.Protocol is Icmp or IcmpV6 && key.Kind is not SessionKeyKind.Fragments => SessionTimer.Icmp,
        _ => SessionTimer.Other,
    };

    /// <summary>Nanoseconds without a packet after which a session has ended.</summary>
    // Sound, here and below: the enumeration's members are below the arrays' length, which is checked.
    public readonly long Idle(SessionTimer timer) => _idle[Checked(timer)];

    /// <summary>Nanoseconds from its first packet after which a session has ended, whatever it does; 0 for never.</summary>
    public readonly long Absolute(SessionTimer timer) => _absolute[Checked(timer)];

    /// <summary>Sets an idle time, more than 0.</summary>
    public void SetIdle(SessionTimer timer, long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(nanoseconds);
        _idle[Checked(timer)] = nanoseconds;
    }

    /// <summary>Sets an absolute time; 0 for none.</summary>
    public void SetAbsolute(SessionTimer timer, long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        _absolute[Checked(timer)] = nanoseconds;
    }

    /// <summary>When a session ends if no further packet comes, on the clock of its times.</summary>
    public readonly long EndOf(in SessionKey key, in SessionState state)
    {
        SessionTimer timer = TimerOf(key, state);
        long idle = state.LastPacket + _idle[(int)timer];
        long absolute = _absolute[(int)timer];
        return absolute == 0 ? idle : Math.Min(idle, state.First + absolute);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Checked(SessionTimer timer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)timer, (uint)Timers, nameof(timer));
        return (int)timer;
    }
}
