using CryptoPlane.Ipfix.Messages;

namespace CryptoPlane.Ipfix.Flows;

/// <summary>What an <see cref="IpfixSession"/> is made with.</summary>
public sealed record IpfixSessionOptions
{
    /// <summary>The least value of <see cref="MessageSize"/>.</summary>
    public const int MinimumMessageSize = IpfixMessage.MinimumSize;

    /// <summary>The observation domain: collectors tell exporters of one address apart by it (RFC 7011 §3.1).</summary>
    public uint ObservationDomain { get; init; } = 1;

    /// <summary>The private enterprise number of the elements that IANA does not have (<see cref="FlowElements"/>).</summary>
    public uint Enterprise { get; init; } = FlowElements.ExampleEnterprise;

    /// <summary>Whether there are templates for records that sessions have begun (<see cref="CryptoPlane.Flows.Sessions.FlowEvent"/>).</summary>
    public bool StartRecords { get; init; }

    /// <summary>Bytes of a message at most, 548 to 65535. Over UDP a message must fit the path's MTU with its IP and UDP headers.</summary>
    public int MessageSize { get; init; } = 1400;

    /// <summary>
    /// After how many nanoseconds templates, types and names are sent again; 0 for never. Over UDP they must be (RFC 7011 §8.4).
    /// </summary>
    public long TemplateRefresh { get; init; }

    /// <summary>After how many nanoseconds the exporter's counters are sent again; 0 for at the end only.</summary>
    public long StatisticsPeriod { get; init; } = 60_000_000_000;

    /// <summary>After how many nanoseconds a message that is not full is sent.</summary>
    public long FlushPeriod { get; init; } = 1_000_000_000;
}
