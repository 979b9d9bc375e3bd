using CryptoPlane.Flows.Sessions;
using Xunit;
using static CryptoPlane.Tests.Flows.Sessions.IpPackets;

namespace CryptoPlane.Tests.Flows.Sessions;

public sealed unsafe class TcpTrackerTests
{
    private const byte Syn = TcpTracker.Syn, Ack = TcpTracker.Ack, Fin = TcpTracker.Fin, Rst = TcpTracker.Rst;
    private SessionState _session;

    [Fact]
    public void Follows_a_connection_to_its_end()
    {
        Assert.Equal(TcpState.SynSent, Forward(Syn, 100));
        Assert.Equal(TcpState.SynSent, Forward(Syn, 100));
        Assert.Equal(TcpState.SynReceived, Reverse(Syn | Ack, 900, 101));
        Assert.Equal(TcpState.Established, Forward(Ack, 101, 901));
        Assert.Equal(TcpState.Established, Forward(Ack, 101, 901, payload: 50));
        Assert.Equal(TcpState.Established, Reverse(Ack, 901, 151, payload: 500));
        Assert.Equal(TcpState.InitiatorClosed, Forward(Fin | Ack, 151, 1401));
        Assert.Equal(TcpState.InitiatorClosed, Reverse(Ack, 1401, 152, payload: 10));
        Assert.Equal(TcpState.Closed, Reverse(Fin | Ack, 1411, 152));
        Assert.Equal(TcpState.Closed, Forward(Ack, 152, 1412));
        Assert.Equal(SessionFlags.None, _session.Flags);
        Assert.True(TcpTracker.IsNewConnection(_session.Tcp, Syn));
        Assert.False(TcpTracker.IsNewConnection(_session.Tcp, Ack));
        Assert.False(TcpTracker.IsNewConnection(TcpState.Established, Syn));
    }

    [Fact]
    public void The_responder_may_close_first()
    {
        Establish();
        Assert.Equal(TcpState.ResponderClosed, Reverse(Fin | Ack, 901, 101));
        Assert.Equal(TcpState.Closed, Forward(Fin | Ack, 101, 902));
    }

    [Fact]
    public void A_reset_ends_a_connection_only_with_an_expected_number()
    {
        Establish();
        for (uint guess = 102; guess < 70_000; guess += 31)
            Assert.Equal(TcpState.Established, Forward(Rst, guess));
        Assert.Equal(TcpState.Established, Reverse(Rst | Ack, 902, 101));
        Assert.Equal(TcpState.Reset, Reverse(Rst, 901));
    }

    [Fact]
    public void A_reset_with_the_number_that_the_other_side_waits_for_counts()
    {
        Establish();
        Forward(Ack, 101, 901, payload: 1000);
        // The responder has acknowledged 101 so far: a RST there is in its window's beginning.
        Assert.Equal(TcpState.Established, Forward(Rst, 500));
        Assert.Equal(TcpState.Reset, Forward(Rst, 101));
    }

    [Fact]
    public void A_reset_answers_a_syn_by_its_acknowledgement()
    {
        Forward(Syn, 100);
        Assert.Equal(TcpState.SynSent, Reverse(Rst | Ack, 0, 555));
        Assert.Equal(TcpState.Reset, Reverse(Rst | Ack, 0, 101));
    }

    [Fact]
    public void A_fin_from_far_away_does_not_count()
    {
        Establish();
        Assert.Equal(TcpState.Established, Forward(Fin | Ack, 0x8000_0000, 901));
        Assert.Equal(TcpState.InitiatorClosed, Forward(Fin | Ack, 101, 901));
    }

    [Fact]
    public void A_connection_is_picked_up_in_its_middle()
    {
        Assert.Equal(TcpState.Established, Reverse(Ack, 5000, 700, payload: 10));
        Assert.Equal(SessionFlags.PickedUp, _session.Flags);
        Assert.Equal(TcpState.Established, Forward(Ack, 700, 5010));
        Assert.Equal(TcpState.Reset, Reverse(Rst, 5010));
    }

    [Fact]
    public void An_answer_that_went_another_way_leaves_a_picked_up_connection()
    {
        Forward(Syn, 100);
        Assert.Equal(TcpState.Established, Forward(Ack, 101, 77));
        Assert.Equal(SessionFlags.PickedUp, _session.Flags);
    }

    [Fact]
    public void Both_sides_may_begin_at_once()
    {
        Forward(Syn, 100);
        Assert.Equal(TcpState.SynReceived, Reverse(Syn, 900));
        Assert.Equal(TcpState.Established, Forward(Ack, 101, 901));
    }

    [Fact]
    public void A_syn_in_a_connection_changes_nothing()
    {
        Establish();
        Assert.Equal(TcpState.Established, Forward(Syn, 0xDEAD_BEEF));
        Assert.Equal(TcpState.Established, Reverse(Rst, 0xDEAD_BEEF));
        Assert.Equal(TcpState.Reset, Forward(Rst, 101));
    }

    [Fact]
    public void Numbers_wrap()
    {
        Forward(Syn, uint.MaxValue);
        Reverse(Syn | Ack, uint.MaxValue, 0);
        Forward(Ack, 0, 0);
        Assert.Equal(TcpState.InitiatorClosed, Forward(Fin | Ack, 0, 0, payload: 100));
        Assert.Equal(TcpState.Reset, Forward(Rst, 101));
    }

    [Fact]
    public void A_data_offset_beyond_the_segment_is_no_payload()
    {
        byte[] header = Tcp(1, 2, Ack, 100, 50);
        header[12] = 0xF0;
        Take(header, isReverse: false);
        Assert.Equal(TcpState.Reset, Forward(Rst, 100));
    }

    private void Establish()
    {
        Forward(Syn, 100);
        Reverse(Syn | Ack, 900, 101);
        Assert.Equal(TcpState.Established, Forward(Ack, 101, 901));
    }

    private TcpState Forward(int flags, uint sequence, uint acknowledgement = 0, int payload = 0) =>
        Take(Tcp(1, 2, (byte)flags, sequence, acknowledgement, payload), isReverse: false);

    private TcpState Reverse(int flags, uint sequence, uint acknowledgement = 0, int payload = 0) =>
        Take(Tcp(2, 1, (byte)flags, sequence, acknowledgement, payload), isReverse: true);

    private TcpState Take(byte[] segment, bool isReverse)
    {
        fixed (SessionState* session = &_session)
        fixed (byte* header = segment)
        {
            TcpState before = session->Tcp;
            Assert.Equal(TcpTracker.Take(session, header, segment.Length, isReverse), session->Tcp != before);
            return session->Tcp;
        }
    }
}
