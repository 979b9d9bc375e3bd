using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>
/// A compiled policy as lcores read it: unmanaged, shared by all of them, owned by its <see cref="PolicySnapshot"/>. Each dimension of a query
/// (who, from where, to where, protocol, ports, kinds) gives the set of rules that it meets, a bit for each, and the first rule in all of the
/// sets decides.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PolicyTables
{
    internal const int Kinds = 32;
    internal const int Protocols = 256;
    internal const int SubjectsPerBlock = 1024;
    internal const int SubjectBlocks = 4096;

    internal int Words;
    internal PolicyVerdict* Verdicts;

    // Families apart: ::/0 must not take IPv4, nor 0.0.0.0/0 the mapped addresses of an IPv6 packet.
    internal PolicyIntervals SourcesIPv4;
    internal PolicyIntervals SourcesIPv6;
    internal PolicyIntervals DestinationsIPv4;
    internal PolicyIntervals DestinationsIPv6;
    internal PolicyIntervals SourcePorts;
    internal PolicyIntervals Ports;

    /// <summary>Sets by protocol, by ingress kind and by egress kind, one table behind the other.</summary>
    internal ulong** ByProtocol;
    internal ulong** ByIngress;
    internal ulong** ByEgress;

    /// <summary>Blocks of sets by subject; an entry is written before any lcore gets a packet of the subject, and never changes.</summary>
    internal ulong*** BySubject;

    internal ulong* Nobody;
    internal ulong* UnknownSubject;
    internal ulong* UnknownProtocol;
    internal ulong* UnknownPorts;

    /// <summary>
    /// Differs from that of the policy before: a flow whose verdict is of another generation is to be asked about again. Above 0.
    /// </summary>
    public uint Generation { get; internal set; }

    /// <summary>What is said of flows that no rule matches.</summary>
    public PolicyVerdict Otherwise { get; internal set; }

    /// <summary>Finds what the first rule that matches says. Neither allocates nor throws.</summary>
    // Sound: each table has an entry for every value of its index (a kind is cut to 5 bits), and each set has Words words; a bit that is set
    // is one of a rule, which has a verdict.
    public readonly PolicyVerdict Evaluate(in PolicyQuery query)
    {
        ulong* subject = SetOf(query.Subject);
        ulong* source = query.IsIPv6 ? SourcesIPv6.Find(query.SourceHigh, query.SourceLow) : SourcesIPv4.Find(0, (uint)query.SourceLow);
        ulong* destination = query.IsIPv6
            ? DestinationsIPv6.Find(query.DestinationHigh, query.DestinationLow)
            : DestinationsIPv4.Find(0, (uint)query.DestinationLow);
        ulong* protocol = query.HasProtocol ? ByProtocol[query.Protocol] : UnknownProtocol;
        // Ports are those of a protocol: where it is not known they are not either.
        bool hasPorts = query.HasProtocol && query.HasPorts;
        ulong* sourcePort = hasPorts ? SourcePorts.Find(0, query.SourcePort) : UnknownPorts;
        ulong* port = hasPorts ? Ports.Find(0, query.DestinationPort) : UnknownPorts;
        ulong* ingress = ByIngress[query.Ingress & (Kinds - 1)];
        ulong* egress = ByEgress[query.Egress & (Kinds - 1)];
        for (int word = 0; word < Words; word++)
        {
            ulong rules = subject[word] & source[word] & destination[word] & protocol[word] & sourcePort[word] & port[word] & ingress[word] & egress[word];
            if (rules != 0)
                return Verdicts[(word << 6) + BitOperations.TrailingZeroCount(rules)];
        }
        return Otherwise;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ulong* SetOf(uint subject)
    {
        if (subject == 0)
            return Nobody;
        if (subject >= SubjectBlocks * SubjectsPerBlock)
            return UnknownSubject;
        ulong** block = BySubject[subject / SubjectsPerBlock];
        ulong* set = block == null ? null : block[subject % SubjectsPerBlock];
        return set == null ? UnknownSubject : set;
    }
}
