using System.Runtime.CompilerServices;
using CryptoPlane.Flows.Sessions;
using Xunit;
using static CryptoPlane.Tests.Flows.Sessions.IpPackets;

namespace CryptoPlane.Tests.Flows.Sessions;

public sealed class SessionStateTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Has_the_layout_that_look_ups_fetch()
    {
        Assert.Equal(SessionState.SizeInBytes, Unsafe.SizeOf<SessionState>());
        Assert.Equal(SessionKey.SizeInBytes, Unsafe.SizeOf<SessionKey>());
    }

    [Theory]
    [InlineData(A4, B4)]
    [InlineData(B4, A4)]
    public void Records_are_the_initiator_s_view_and_deltas(string from, string to)
    {
        (_, SessionKey key, SessionPacket packet) = Parse(IPv4(from, to, 17, Udp(4000, 53), tos: 0xB8));
        var state = default(SessionState);
        state.Begin(packet, flowId: 42, now: 5 * Second);
        state.Account(state.IsReverse(packet.IsFromUpper), 100);
        state.Account(state.IsReverse(!packet.IsFromUpper), 300);
        state.Drop(isReverse: true, reason: 9);
        state.Drop(isReverse: true, reason: 10);
        state.LastPacket = 6 * Second;
        Assert.True(state.HasNews);
        state.Record(key, FlowEndReason.ActiveTimeout, toUnix: 1000, lcore: 3, out FlowRecord record);

        Assert.Equal((from, to), (record.Source.ToString(), record.Destination.ToString()));
        Assert.Equal((4000, 53, 17, 46), (record.SourcePort, record.DestinationPort, record.Protocol, record.Dscp));
        Assert.Equal((1UL, 100UL, 0UL), (record.Forward.Packets, record.Forward.Octets, record.Forward.Drops));
        Assert.Equal((1UL, 300UL, 2UL), (record.Reverse.Packets, record.Reverse.Octets, record.Reverse.Drops));
        Assert.Equal(((5 * Second) + 1000, (6 * Second) + 1000), (record.Start, record.End));
        Assert.Equal((42UL, 3, 9, false), (record.FlowId, record.Lcore, record.DropReason, record.IsIPv6));
        Assert.Equal(FlowEndReason.ActiveTimeout, record.EndReason);

        Assert.False(state.HasNews);
        state.Account(isReverse: false, 7);
        Assert.True(state.HasNews);
        state.Record(key, FlowEndReason.IdleTimeout, 0, 3, out record);
        Assert.Equal((1UL, 7UL, 0UL, 0UL), (record.Forward.Packets, record.Forward.Octets, record.Reverse.Packets, record.Reverse.Drops));
        Assert.Equal(0, record.DropReason);
        Assert.Equal(2UL, state.ForwardPackets);
    }

    [Fact]
    public void What_is_dropped_after_a_record_has_told_of_it_is_missing_in_the_next_ones()
    {
        (_, SessionKey key, SessionPacket packet) = Parse(IPv4(A4, B4, 17, Udp(4000, 53)));
        var state = default(SessionState);
        state.Begin(packet, flowId: 1, now: 0);
        ulong packets = 0, octets = 0, drops = 0;
        void Record()
        {
            state.Record(key, FlowEndReason.ActiveTimeout, 0, 0, out FlowRecord record);
            Assert.Equal((0UL, 0UL), (record.Forward.Packets, record.Forward.Drops));
            (packets, octets, drops) = (packets + record.Reverse.Packets, octets + record.Reverse.Octets, drops + record.Reverse.Drops);
        }
        for (int i = 0; i < 3; i++)
            state.Account(isReverse: true, 100);
        Record();
        state.TakeBack(isReverse: true, 100, 9);
        state.TakeBack(isReverse: true, 100, 9);
        Assert.True(state.HasNews);
        Record();
        // A record never takes anything away: two are owed.
        Assert.Equal((3UL, 300UL, 2UL), (packets, octets, drops));
        Assert.False(state.HasNews);
        state.Account(isReverse: true, 100);
        Record();
        Assert.Equal(3UL, packets);
        for (int i = 0; i < 4; i++)
            state.Account(isReverse: true, 50);
        Record();
        Assert.Equal((state.ReversePackets, state.ReverseOctets, (ulong)state.ReverseDrops), (packets, octets, drops));
        Assert.Equal((6UL, 400UL, 2UL), (packets, octets, drops));
    }

    [Fact]
    public void Of_icmp_the_record_has_type_and_code()
    {
        (_, SessionKey key, SessionPacket packet) = Parse(IPv6(A6, B6, 58, Icmp(128, 0, 77)));
        var state = default(SessionState);
        state.Begin(packet, 1, 0);
        state.Record(key, FlowEndReason.IdleTimeout, 0, 0, out FlowRecord record);
        Assert.Equal((128, 0, 58, true), (record.SourcePort, record.DestinationPort, record.Protocol, record.IsIPv6));
    }

    [Fact]
    public void Times_are_by_protocol_and_state()
    {
        SessionTimeouts times = SessionTimeouts.Default;
        (_, SessionKey tcp, SessionPacket packet) = Parse(IPv4(A4, B4, 6, Tcp(1, 2)));
        var state = default(SessionState);
        state.Begin(packet, 1, 100 * Second);
        foreach ((TcpState where, SessionTimer timer) in new[]
        {
            (TcpState.None, SessionTimer.TcpOpening), (TcpState.SynSent, SessionTimer.TcpOpening), (TcpState.SynReceived, SessionTimer.TcpOpening),
            (TcpState.Established, SessionTimer.TcpEstablished), (TcpState.InitiatorClosed, SessionTimer.TcpClosing),
            (TcpState.ResponderClosed, SessionTimer.TcpClosing), (TcpState.Closed, SessionTimer.TcpClosed), (TcpState.Reset, SessionTimer.TcpClosed),
        })
        {
            state.Tcp = where;
            Assert.Equal(timer, SessionTimeouts.TimerOf(tcp, state));
            Assert.Equal((100 * Second) + times.Idle(timer), times.EndOf(tcp, state));
        }
        SessionKey udp = Parse(IPv4(A4, B4, 17, Udp(1, 2))).Key;
        Assert.Equal(SessionTimer.UdpUnanswered, SessionTimeouts.TimerOf(udp, state));
        state.Flags |= SessionFlags.Answered;
        Assert.Equal(SessionTimer.UdpAnswered, SessionTimeouts.TimerOf(udp, state));
        Assert.Equal(SessionTimer.Icmp, SessionTimeouts.TimerOf(Parse(IPv4(A4, B4, 1, Icmp(8, 0, 1))).Key, state));
        Assert.Equal(SessionTimer.Other, SessionTimeouts.TimerOf(Parse(IPv4(A4, B4, 50, new byte[8])).Key, state));
        Assert.Equal(SessionTimer.Other, SessionTimeouts.TimerOf(Parse(IPv4(A4, B4, 17, new byte[8], offset: 80)).Key, state));
    }

    [Fact]
    public void An_absolute_end_comes_whatever_the_session_does()
    {
        SessionTimeouts times = SessionTimeouts.Default;
        (_, SessionKey key, SessionPacket packet) = Parse(IPv4(A4, B4, 17, Udp(1, 2)));
        var state = default(SessionState);
        state.Begin(packet, 1, 0);
        times.SetAbsolute(SessionTimer.UdpUnanswered, 40 * Second);
        state.LastPacket = 20 * Second;
        Assert.Equal(40 * Second, times.EndOf(key, state));
        state.LastPacket = 5 * Second;
        Assert.Equal(35 * Second, times.EndOf(key, state));
    }
}
