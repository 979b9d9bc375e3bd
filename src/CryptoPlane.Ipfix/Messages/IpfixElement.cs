namespace CryptoPlane.Ipfix.Messages;

/// <summary>The abstract data types of elements that are used here (RFC 7012 §3.1), with their numbers of RFC 5610 §3.1.</summary>
public enum IpfixType : byte
{
    /// <summary>Bytes without a meaning of their own.</summary>
    OctetArray = 0,

    /// <summary>A number of one byte.</summary>
    Unsigned8 = 1,

    /// <summary>A number of two bytes.</summary>
    Unsigned16 = 2,

    /// <summary>A number of four bytes.</summary>
    Unsigned32 = 3,

    /// <summary>A number of eight bytes.</summary>
    Unsigned64 = 4,

    /// <summary>Text in UTF-8.</summary>
    String = 13,

    /// <summary>Milliseconds since 1970 (UTC), in eight bytes.</summary>
    DateTimeMilliseconds = 15,

    /// <summary>An IPv4 address.</summary>
    IPv4Address = 18,

    /// <summary>An IPv6 address.</summary>
    IPv6Address = 19,
}

/// <summary>What a number means (RFC 7012 §3.2), with the numbers of RFC 5610 §3.2.</summary>
public enum IpfixSemantics : byte
{
    /// <summary>Nothing special.</summary>
    Default = 0,

    /// <summary>An amount.</summary>
    Quantity = 1,

    /// <summary>Counted from the start of the exporter.</summary>
    TotalCounter = 2,

    /// <summary>Counted since the last record.</summary>
    DeltaCounter = 3,

    /// <summary>A name: comparing for equality is all that makes sense.</summary>
    Identifier = 4,

    /// <summary>A set of bits.</summary>
    Flags = 5,
}

/// <summary>An information element as templates have it (RFC 7011 §3.2).</summary>
/// <param name="Enterprise">Who defined it: a private enterprise number, or 0 for IANA.</param>
/// <param name="Id">Its number, 1 to 32767.</param>
/// <param name="Type">Its type, from which its length follows.</param>
/// <param name="Semantics">What it means.</param>
/// <param name="Name">Its name.</param>
public readonly record struct IpfixElement(uint Enterprise, ushort Id, IpfixType Type, IpfixSemantics Semantics, string Name)
{
    /// <summary>RFC 7011 §7: the length in a template that says that each record has its own.</summary>
    public const ushort VariableLength = 65535;

    /// <summary>RFC 5103 §6.1: the enterprise number under which IANA's elements stand for the reverse direction.</summary>
    public const uint ReverseEnterprise = 29305;

    /// <summary>Bytes in a record, or <see cref="VariableLength"/>.</summary>
    public ushort Length => Type switch
    {
        IpfixType.Unsigned8 => 1,
        IpfixType.Unsigned16 => 2,
        IpfixType.Unsigned32 or IpfixType.IPv4Address => 4,
        IpfixType.Unsigned64 or IpfixType.DateTimeMilliseconds => 8,
        IpfixType.IPv6Address => 16,
        _ => VariableLength,
    };

    /// <summary>The same of the other direction.</summary>
    /// <exception cref="InvalidOperationException">The element is not IANA's: RFC 5103 gives only those a reverse.</exception>
    public IpfixElement Reverse() => Enterprise == 0
        ? this with { Enterprise = ReverseEnterprise, Name = "reverse" + char.ToUpperInvariant(Name[0]) + Name[1..] }
        : throw new InvalidOperationException($"{Name} is an element of enterprise {Enterprise}: it has no reverse.");
}
