using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Tests;

/// <summary>Flow records for tests: all kinds of them, with numbers that are told apart.</summary>
internal static class SampleFlows
{
    /// <summary>2026-11-21 18:00:00 UTC.</summary>
    public const long Start = 1_795_284_000_000_000_000;

    /// <summary>A moment, some milliseconds after <see cref="Start"/> by both clocks.</summary>
    public static FlowTime At(long milliseconds) => new(Start + (milliseconds * 1_000_000), milliseconds * 1_000_000);

    /// <summary>A TCP session of a user's with traffic both ways.</summary>
    public static FlowRecord Tcp(int number = 0) => new()
    {
        Start = Start + 1_500_000 + number,
        End = Start + 2_500_000_000,
        Source = SessionAddress.From(IPAddress.Parse($"10.77.{number >> 8 & 255}.{number & 255}")),
        Destination = SessionAddress.From(IPAddress.Parse("10.20.0.1")),
        Forward = new FlowTraffic { Packets = 11, Octets = 1100 + (ulong)number, Drops = 1, TcpFlags = 0x1B },
        Reverse = new FlowTraffic { Packets = 7, Octets = 70_000, Drops = 2, TcpFlags = 0x13 },
        FlowId = (3ul << 56) | (uint)number,
        IngressKind = FlowTunnelKind.User,
        IngressId = 42,
        EgressKind = FlowTunnelKind.Esp,
        EgressId = 1,
        RuleId = 5,
        SourcePort = (ushort)(40_000 + number % 1000),
        DestinationPort = 443,
        DropReason = 17,
        Protocol = 6,
        Dscp = 46,
        TrafficClass = 2,
        EndReason = FlowEndReason.EndOfFlow,
        Lcore = 3,
    };

    /// <summary>A DNS query over IPv6 that was denied: nothing went on.</summary>
    public static FlowRecord DeniedUdp6() => Tcp() with
    {
        IsIPv6 = true,
        Source = SessionAddress.From(IPAddress.Parse("fd00:77::1")),
        Destination = SessionAddress.From(IPAddress.Parse("2001:db8::53")),
        Protocol = 17,
        SourcePort = 5353,
        DestinationPort = 53,
        Forward = new FlowTraffic { Drops = 4 },
        Reverse = default,
        EgressKind = FlowTunnelKind.None,
        EgressId = 0,
        EndReason = FlowEndReason.IdleTimeout,
    };

    /// <summary>An echo request with its reply.</summary>
    public static FlowRecord Ping4() => Tcp() with
    {
        Protocol = 1,
        SourcePort = 8,
        DestinationPort = 0,
        Forward = new FlowTraffic { Packets = 3, Octets = 252 },
        Reverse = new FlowTraffic { Packets = 3, Octets = 252 },
        DropReason = 0,
        EndReason = FlowEndReason.ActiveTimeout,
    };

    /// <summary>The same over IPv6.</summary>
    public static FlowRecord Ping6() => Ping4() with
    {
        IsIPv6 = true,
        Source = SessionAddress.From(IPAddress.Parse("fd00:77::1")),
        Destination = SessionAddress.From(IPAddress.Parse("fd00:20::1")),
        Protocol = 58,
        SourcePort = 128,
    };

    /// <summary>The record that a session has begun.</summary>
    public static FlowRecord StartOf(in FlowRecord flow) => flow with
    {
        End = flow.Start,
        Forward = new FlowTraffic { TcpFlags = flow.Protocol == 6 ? (ushort)0x02 : (ushort)0 },
        Reverse = default,
        DropReason = 0,
        EndReason = FlowEndReason.None,
        Event = flow.EgressKind == FlowTunnelKind.None ? FlowEvent.Denied : FlowEvent.Created,
    };

    /// <summary>One of each.</summary>
    public static FlowRecord[] OneOfEach() => [Tcp(), DeniedUdp6(), Ping4(), Ping6()];
}

/// <summary>Names for them.</summary>
internal sealed class SampleNames : IFlowNames
{
    public string User { get; set; } = "zoë";

    public int Questions { get; private set; }

    public FlowTunnelName? FindTunnel(FlowTunnelKind kind, ulong id)
    {
        Questions++;
        return kind switch
        {
            FlowTunnelKind.User => new FlowTunnelName("", User),
            FlowTunnelKind.Esp => new FlowTunnelName("dc2", ""),
            _ => null,
        };
    }

    public string? FindRule(uint rule) => rule == 5 ? "staff to servers" : null;

    public string? FindDropReason(ushort reason) => reason == 17 ? "slow-reader" : null;

    public byte ForwardingStatusOf(ushort reason) => 138;
}
