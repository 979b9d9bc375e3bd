using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Names;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Interop;

/// <summary>Many flows of all kinds with random numbers, and what they sum up to: other programs must come to the same.</summary>
internal sealed class FlowMix
{
    private readonly FlowNameCache _names = new(new SampleNames());
    private readonly bool _starts;

    /// <param name="count">How many.</param>
    /// <param name="starts">Whether each is announced by a record that it has begun: that changes no sum.</param>
    public FlowMix(int count, bool starts = false)
    {
        _starts = starts;
        var random = new Random(11);
        FlowRecord[] kinds = OneOfEach();
        for (int i = 0; i < count; i++)
        {
            Flows.Add(kinds[i % kinds.Length] with
            {
                FlowId = (ulong)i,
                SourcePort = kinds[i % kinds.Length].Protocol is 6 or 17 ? (ushort)(1024 + i) : kinds[i % kinds.Length].SourcePort,
                Forward = new FlowTraffic { Packets = (ulong)random.Next(1, 1000), Octets = (ulong)random.NextInt64(1L << 40), TcpFlags = 0x1B },
                Reverse = new FlowTraffic { Packets = (ulong)random.Next(1000), Octets = (ulong)random.NextInt64(1L << 40), TcpFlags = 0x13 },
            });
        }
    }

    public List<FlowRecord> Flows { get; } = [];

    /// <summary>Packets and bytes, both ways, by protocol.</summary>
    public SortedDictionary<int, FlowSums> Sums
    {
        get
        {
            var sums = new SortedDictionary<int, FlowSums>();
            foreach (FlowRecord flow in Flows)
            {
                FlowSums sum = sums.GetValueOrDefault(flow.Protocol);
                sums[flow.Protocol] = sum.Plus(flow.Forward.Packets, flow.Forward.Octets, flow.Reverse.Packets, flow.Reverse.Octets);
            }
            return sums;
        }
    }

    /// <summary>Gives them to a sink, and lets it do what is due.</summary>
    public void Send(FlowSink sink)
    {
        for (int i = 0; i < Flows.Count; i++)
        {
            if (_starts)
            {
                FlowRecord start = StartOf(Flows[i]);
                sink.Add(start, _names.Find(start, 0), At(i));
            }
            sink.Add(Flows[i], _names.Find(Flows[i], 0), At(i));
            // A collector on the same machine needs a moment now and then.
            if (i % 100 == 0)
                sink.Tick(At(i));
        }
    }
}

/// <summary>What flows sum up to.</summary>
internal readonly record struct FlowSums(int Flows, ulong Packets, ulong Octets, ulong ReversePackets, ulong ReverseOctets)
{
    public FlowSums Plus(ulong packets, ulong octets, ulong reversePackets, ulong reverseOctets) =>
        new(Flows + 1, Packets + packets, Octets + octets, ReversePackets + reversePackets, ReverseOctets + reverseOctets);
}
