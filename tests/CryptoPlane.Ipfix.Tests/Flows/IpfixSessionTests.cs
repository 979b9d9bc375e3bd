using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Flows;

/// <summary>Messages of a session: what is in them, when they are sent, how large they are.</summary>
public class IpfixSessionTests
{
    private const uint Own = FlowElements.ExampleEnterprise, Reverse = IpfixElement.ReverseEnterprise;

    private readonly MessageList _messages = new();
    private readonly FlowNameCache _names = new(new SampleNames());

    [Fact]
    public void A_tcp_flow_arrives_with_every_element()
    {
        FlowRecord flow = Tcp();
        ReadRecord read = Send(flow).Records.Single(record => record.Template == 256);

        Assert.Equal((ulong)flow.Start / 1_000_000, read[0, 152].Number);
        Assert.Equal((ulong)flow.End / 1_000_000, read[0, 153].Number);
        Assert.Equal(flow.Source.ToIPAddress().GetAddressBytes(), read[0, 8].Value);
        Assert.Equal(flow.Destination.ToIPAddress().GetAddressBytes(), read[0, 12].Value);
        Assert.Equal((6ul, 46ul), (read[0, 4].Number, read[0, 195].Number));
        Assert.Equal((40_000ul, 443ul), (read[0, 7].Number, read[0, 11].Number));
        Assert.Equal((1100ul, 11ul, 1ul, 0x1Bul), (read[0, 1].Number, read[0, 2].Number, read[0, 133].Number, read[0, 6].Number));
        Assert.Equal((70_000ul, 7ul, 2ul, 0x13ul), (read[Reverse, 1].Number, read[Reverse, 2].Number, read[Reverse, 133].Number, read[Reverse, 6].Number));
        Assert.Equal((3ul, 1ul, 64ul), (read[0, 136].Number, read[0, 239].Number, read[0, 89].Number));
        Assert.Equal((flow.FlowId, 3ul), (read[0, 148].Number, read[0, 143].Number));
        Assert.Equal((1ul, 42ul, 2ul, 1ul), (read[Own, 1].Number, read[Own, 2].Number, read[Own, 3].Number, read[Own, 4].Number));
        Assert.Equal((17ul, 5ul, 2ul), (read[Own, 5].Number, read[Own, 6].Number, read[Own, 11].Number));
        Assert.Equal("zoë", read[0, 371].Text);
    }

    [Fact]
    public void Each_family_and_icmp_has_a_template_of_its_own()
    {
        List<ReadRecord> records = Send(OneOfEach()).Records;
        Assert.Equal([256, 258, 257, 259], records.Where(record => record.Template < 260).Select(record => (int)record.Template));

        ReadRecord udp = records.Single(record => record.Template == 258);
        Assert.Equal(DeniedUdp6().Source.ToIPAddress().GetAddressBytes(), udp[0, 27].Value);
        Assert.Equal(DeniedUdp6().Destination.ToIPAddress().GetAddressBytes(), udp[0, 28].Value);
        // Nothing but drops: what names say of the reason.
        Assert.Equal((138ul, 4ul), (udp[0, 89].Number, udp[0, 133].Number));
        Assert.Equal(8ul << 8, records.Single(record => record.Template == 257)[0, 32].Number);
        Assert.Equal(128ul << 8, records.Single(record => record.Template == 259)[0, 139].Number);
    }

    [Fact]
    public void Names_are_told_before_the_flows_that_need_them_and_again_when_they_change()
    {
        IpfixSession session = Start(new IpfixSessionOptions { MessageSize = 65535 });
        FlowRecord flow = Tcp();
        var alice = new FlowName("", "alice");
        session.Add(flow, new FlowRecordNames(alice, null, null, null, 64), At(0));
        session.Add(flow, new FlowRecordNames(alice, null, null, null, 64), At(0));
        session.Add(flow, new FlowRecordNames(new FlowName("", "bob"), null, null, null, 64), At(0));
        session.Flush(At(0));
        Assert.Equal([260, 256, 256, 260, 256], _messages.Read().Records.Where(record => record.Template is 256 or 260).Select(record => (int)record.Template));
        ReadRecord told = _messages.Read().Records.First(record => record.Template == 260);
        Assert.Equal((1ul, 42ul, "alice"), (told[Own, 7].Number, told[Own, 8].Number, told[0, 371].Text));
    }

    [Fact]
    public void Rules_and_reasons_have_names()
    {
        List<ReadRecord> records = Send(Tcp()).Records;
        Assert.Equal((5ul, "staff to servers"), Told(records.Single(record => record.Template == 261), 6, 9));
        Assert.Equal((17ul, "slow-reader"), Told(records.Single(record => record.Template == 262), 5, 10));

        static (ulong, string) Told(ReadRecord record, ushort id, ushort name) => (record[Own, id].Number, record[Own, name].Text);
    }

    [Fact]
    public void The_types_of_own_elements_are_told_and_every_own_element_is_among_them()
    {
        IpfixReader reader = Send(Tcp());
        Dictionary<ushort, ReadRecord> types = reader.Records.Where(record => record.Template == 265).ToDictionary(record => (ushort)record[0, 303].Number);
        Assert.All(types.Values, type => Assert.Equal(Own, type[0, 346].Number));
        foreach (ReadField field in reader.Records.SelectMany(record => record.Fields).Where(field => field.Enterprise == Own))
        {
            // RFC 5610 §3.1: 1 to 4 are unsigned numbers of 1, 2, 4 and 8 bytes; 13 is text.
            ulong type = types[field.Id][0, 339].Number;
            Assert.True(type == 13 || field.Value.Length == 1 << ((int)type - 1), $"Element {field.Id} has another length than its type.");
        }
        Assert.Equal(11, types.Count);
        Assert.Equal("ruleName", types[9][0, 341].Text);
    }

    [Fact]
    public void Flow_keys_are_addresses_protocol_and_ports()
    {
        List<ReadRecord> records = Send(OneOfEach()).Records;
        foreach (ReadRecord keys in records.Where(record => record.Template == 266))
        {
            ReadRecord flow = records.Single(record => record.Template == keys[0, 145].Number);
            ushort[] elements = [.. flow.Fields.Where((_, i) => (keys[0, 173].Number >> i & 1) != 0).Select(field => field.Id).Order()];
            Assert.Equal(
                flow.Template switch
                {
                    256 => [4, 7, 8, 11, 12],
                    257 => [4, 8, 12, 32],
                    258 => [4, 7, 11, 27, 28],
                    _ => (ushort[])[4, 27, 28, 139],
                },
                elements);
        }
    }

    [Theory]
    [InlineData(IpfixSessionOptions.MinimumMessageSize)]
    [InlineData(1400)]
    [InlineData(65535)]
    public void No_message_is_larger_than_it_may_be_and_sequence_numbers_have_no_gap(int size)
    {
        IpfixSession session = Start(new IpfixSessionOptions { MessageSize = size, FlushPeriod = 1 });
        string longest = new('ü', 300);
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            FlowRecord flow = OneOfEach()[i % 4] with { IngressId = (ulong)random.Next(100), EgressId = (ulong)random.Next(100) };
            var name = new FlowName(longest[..random.Next(300)], longest[..random.Next(300)]);
            session.Add(flow, new FlowRecordNames(name, name, name, name, 64), At(i));
            if (random.Next(50) == 0)
                session.Tick(At(i + 1), new FlowSinkStatistics());
        }
        session.End(At(3000), new FlowSinkStatistics());
        Assert.All(_messages.Messages, message => Assert.InRange(message.Length, 20, size));
        Assert.Equal(2000, _messages.Read().Records.Count(record => record.Template < 260));
        Assert.Equal(2000, _messages.Flows);
    }

    [Fact]
    public void Templates_and_names_are_sent_again_and_a_message_that_waits_is_sent()
    {
        IpfixSession session = Start(new IpfixSessionOptions { TemplateRefresh = 60_000_000_000, FlushPeriod = 1_000_000_000, StatisticsPeriod = 0, MessageSize = 65535 });
        Add(session, Tcp(), At(0));
        session.Tick(At(999), new FlowSinkStatistics());
        Assert.Empty(_messages.Messages);
        session.Tick(At(1000), new FlowSinkStatistics());
        Assert.Single(_messages.Messages);
        int templates = _messages.Read().Templates;

        session.Tick(At(59_999), new FlowSinkStatistics());
        session.Tick(At(60_000), new FlowSinkStatistics());
        Add(session, Tcp(), At(60_001));
        session.Flush(At(60_002));
        IpfixReader reader = _messages.Read();
        Assert.Equal(2 * templates, reader.Templates);
        Assert.Equal(2, reader.Records.Count(record => record.Template == 260 && record[0, 371].Text == "zoë"));
        // A reader that begins with the second message understands it.
        var later = new IpfixReader();
        later.Read(_messages.Messages[1]);
        Assert.Single(later.Records, record => record.Template == 256);
    }

    [Fact]
    public void Statistics_say_what_was_sent_and_what_was_not()
    {
        IpfixSession session = Start(new IpfixSessionOptions());
        var counters = new FlowSinkStatistics
        {
            Messages = 3, Records = 20, Octets = 4000, Dropped = 5, DroppedPackets = 60, DroppedOctets = 700, FirstDrop = 8_000_000, LastDrop = 9_000_000,
        };
        session.End(At(10), counters);
        List<ReadRecord> records = _messages.Read().Records;
        ReadRecord sent = records.Single(record => record.Template == 263);
        Assert.Equal((1ul, 3ul, 20ul, 4000ul), (sent[0, 149].Number, sent[0, 41].Number, sent[0, 42].Number, sent[0, 40].Number));
        ReadRecord lost = records.Single(record => record.Template == 264);
        Assert.Equal((5ul, 60ul, 700ul), (lost[0, 166].Number, lost[0, 167].Number, lost[0, 168].Number));
        // RFC 7011 §4.3: the first of the two times is that of the first drop.
        Assert.Equal([8ul, 9ul], lost.Fields.Where(field => field.Id == 323).Select(field => field.Number));
    }

    [Fact]
    public void What_full_rings_lose_counts_as_not_sent_and_what_no_flow_has_as_ignored()
    {
        using FlowRecordRing full = new(3, 2), other = new(4, 2);
        for (int i = 0; i < 5; i++)
            full.TryEnqueue(Tcp(i), (20 + i) * 1_000_000);
        other.Ignore(100, 4_000_000);
        other.Ignore(50, 5_000_000);
        IpfixSession session = Start(new IpfixSessionOptions());
        var sink = new FlowSinkStatistics { Dropped = 5, DroppedPackets = 60, DroppedOctets = 700, FirstDrop = 23_000_000, LastDrop = 23_000_000 };
        session.End(At(10), sink, [full, other]);
        List<ReadRecord> records = _messages.Read().Records;
        ReadRecord lost = records.Single(record => record.Template == 264);
        // Three records of 18 packets, with 71,100 bytes and as many more as their number.
        Assert.Equal((8ul, 114ul, 700ul + (3 * 71_100) + 2 + 3 + 4), (lost[0, 166].Number, lost[0, 167].Number, lost[0, 168].Number));
        Assert.Equal([22ul, 24ul], lost.Fields.Where(field => field.Id == 323).Select(field => field.Number));
        Assert.Equal(
            [(1ul, 3ul, 0ul, 0ul, 0ul, 0ul), (1ul, 4ul, 2ul, 150ul, 4ul, 5ul)],
            records.Where(record => record.Template == 267).Select(ignored => (ignored[0, 149].Number, ignored[0, 143].Number, ignored[0, 164].Number,
                ignored[0, 165].Number, ignored.Fields.First(field => field.Id == 323).Number, ignored.Fields.Last(field => field.Id == 323).Number)));
    }

    [Fact]
    public void A_start_says_that_a_flow_has_begun_and_counts_nothing()
    {
        IpfixSession session = Start(new IpfixSessionOptions { StartRecords = true });
        foreach (FlowRecord flow in OneOfEach())
        {
            Add(session, StartOf(flow), At(0));
            Add(session, flow, At(1));
        }
        session.Flush(At(2));
        List<ReadRecord> records = _messages.Read().Records;
        // 256 to 259 are flows, and twelve above them their beginnings.
        Assert.Equal(
            [268, 256, 270, 258, 269, 257, 271, 259],
            records.Where(record => record.Template is < 260 or >= 268).Select(record => (int)record.Template));
        foreach (ReadRecord start in records.Where(record => record.Template >= 268))
        {
            // IANA, firewallEvent: 1 flow created, 3 flow denied. No counters, and nothing of an end.
            Assert.Equal(start.Template == 270 ? 3ul : 1ul, start[0, 233].Number);
            Assert.DoesNotContain(
                start.Fields, field => field.Id is 1 or 2 or 133 or 136 or 89 && field.Enterprise is 0 or IpfixElement.ReverseEnterprise);
            ReadRecord flow = records.Single(record => record.Template == start.Template - 12);
            Assert.Equal((flow[0, 148].Number, flow[0, 152].Number), (start[0, 148].Number, start[0, 152].Number));
        }
        Assert.Equal(2ul, records.First(record => record.Template == 268)[0, 6].Number);
        Assert.Equal(8, records.Count(record => record.Template == 266));
    }

    [Fact]
    public void Starts_are_left_out_where_nobody_has_asked_for_them()
    {
        List<ReadRecord> records = Send(StartOf(Tcp()), Tcp()).Records;
        Assert.Single(records, record => record.Template is < 260 or >= 268);
        Assert.Equal(4, records.Count(record => record.Template == 266));
    }

    [Fact]
    public void A_new_session_begins_at_zero_and_says_what_was_not_sent()
    {
        IpfixSession session = Start(new IpfixSessionOptions());
        Add(session, Tcp(), At(0));
        FlowTotals lost = session.Start(At(1));
        Assert.Equal(new FlowTotals(1, 18, 71_100), lost);
        session.Flush(At(2));
        byte[] first = _messages.Messages[0];
        Assert.Equal(0, first[8] | first[9] | first[10] | first[11]);
    }

    [Fact]
    public void Records_allocate_nothing()
    {
        var session = new IpfixSession(new IpfixSessionOptions(), new Nowhere());
        session.Start(At(0));
        FlowRecord[] flows = OneOfEach();
        void Run()
        {
            for (int i = 0; i < 1000; i++)
                session.Add(flows[i % 4], _names.Find(flows[i % 4], At(1).Monotonic), At(1));
        }
        Run();
        Assert.Equal(0, AllocationMeter.MeasureUntilSteady(Run).AllocatedBytes);
    }

    private IpfixReader Send(params FlowRecord[] flows)
    {
        IpfixSession session = Start(new IpfixSessionOptions());
        foreach (FlowRecord flow in flows)
            Add(session, flow, At(0));
        session.Flush(At(0));
        return _messages.Read();
    }

    private IpfixSession Start(IpfixSessionOptions options)
    {
        var session = new IpfixSession(options, _messages);
        session.Start(At(0));
        return session;
    }

    private void Add(IpfixSession session, in FlowRecord flow, FlowTime now) => session.Add(flow, _names.Find(flow, now.Monotonic), now);

    private sealed class Nowhere : IIpfixOutput
    {
        public void Write(ReadOnlySpan<byte> message, in FlowTotals flows)
        {
        }
    }
}
