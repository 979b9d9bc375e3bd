using System.Net;
using CryptoPlane.Ipfix.Flows;

namespace VpnBroker.Configuration;

/// <summary>Where flow records go.</summary>
public sealed record ExportConfig
{
    /// <summary>The observation domain, by which collectors tell brokers of one address apart.</summary>
    public uint ObservationDomain { get; init; } = 1;

    /// <summary>The private enterprise number of the elements that IANA does not have.</summary>
    public uint Enterprise { get; init; } = FlowElements.ExampleEnterprise;

    /// <summary>Seconds after which templates and names are sent again over UDP.</summary>
    public int TemplateRefreshSeconds { get; init; } = 60;

    /// <summary>Whether a session's first packet makes a record too.</summary>
    public bool StartRecords { get; init; }

    /// <summary>The sinks; at least one.</summary>
    public required IReadOnlyList<FlowSinkConfig> Sinks { get; init; }
}

/// <summary>What a sink is.</summary>
public enum FlowSinkKind
{
    /// <summary>IPFIX over UDP.</summary>
    Udp,

    /// <summary>IPFIX over TCP.</summary>
    Tcp,

    /// <summary>IPFIX files.</summary>
    File,

    /// <summary>Files of JSON lines.</summary>
    Json,
}

/// <summary>One sink. Which values count depends on its kind.</summary>
public sealed record FlowSinkConfig
{
    /// <summary>Names it in the status and the log, and begins its files' names.</summary>
    public required string Name { get; init; }

    /// <summary>What it is.</summary>
    public required FlowSinkKind Kind { get; init; }

    /// <summary>The collector of UDP and TCP.</summary>
    public IPEndPoint? Collector { get; init; }

    /// <summary>Where files go.</summary>
    public string? Directory { get; init; }

    /// <summary>Bytes of an IPFIX message at most.</summary>
    public int MessageBytes { get; init; }

    /// <summary>Bytes that may wait for a TCP collector or a disk.</summary>
    public int Buffer { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes after which the next file begins.</summary>
    public int FileBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Seconds after which the next file begins.</summary>
    public int FileSeconds { get; init; } = 300;

    /// <summary>Complete files that are kept; 0 for all.</summary>
    public int Keep { get; init; }
}
