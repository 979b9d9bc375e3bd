using System.Buffers.Binary;

namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a NewSessionTicket's body (RFC 8446 §4.6.1), and how to write one.</summary>
internal readonly ref struct NewSessionTicketMessage
{
    /// <summary>Seven days: "Servers MUST NOT use any value greater than 604800 seconds", and clients must not keep a ticket for longer.</summary>
    public const uint MaxLifetime = 604_800;

    private NewSessionTicketMessage(uint lifetime, uint ageAdd, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ticket, uint maxEarlyData)
    {
        MaxEarlyData = maxEarlyData;
        Lifetime = lifetime;
        AgeAdd = ageAdd;
        Nonce = nonce;
        Ticket = ticket;
    }

    /// <summary>Seconds for which the ticket may be used; 0 for not at all.</summary>
    public uint Lifetime { get; }

    /// <summary>What hides the ticket's age on the wire.</summary>
    public uint AgeAdd { get; }

    /// <summary>Tells the tickets of one connection apart.</summary>
    public ReadOnlySpan<byte> Nonce { get; }

    public ReadOnlySpan<byte> Ticket { get; }

    /// <summary>Most bytes of early data that the server takes with the ticket (RFC 8446 §4.2.10); 0 for none.</summary>
    public uint MaxEarlyData { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out NewSessionTicketMessage message)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadBytes(2 * sizeof(uint), out ReadOnlySpan<byte> numbers)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> nonce)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> ticket) || ticket.IsEmpty
            || !reader.TryReadVector16(out ReadOnlySpan<byte> vector) || !reader.IsAtEnd)
            return TlsError.Decode("The server's NewSessionTicket is malformed.");
        // RFC 8446 §4.6.1: early_data is the one extension; "Clients MUST ignore unrecognized extensions."
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        uint maxEarlyData = 0;
        if (extensions.TryGet(ExtensionType.EarlyData, out ReadOnlySpan<byte> data) && !EarlyDataExtension.TryParseLimit(data, out maxEarlyData))
            return TlsError.Decode("The early_data of the server's NewSessionTicket is malformed.");
        message = new NewSessionTicketMessage(
            BinaryPrimitives.ReadUInt32BigEndian(numbers), BinaryPrimitives.ReadUInt32BigEndian(numbers[sizeof(uint)..]), nonce, ticket, maxEarlyData);
        return null;
    }

    /// <summary>Writes one.</summary>
    public static void Write(WireWriter writer, uint lifetime, uint ageAdd, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ticket, int maxEarlyData)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.NewSessionTicket);
        Span<byte> numbers = stackalloc byte[2 * sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(numbers, lifetime);
        BinaryPrimitives.WriteUInt32BigEndian(numbers[sizeof(uint)..], ageAdd);
        writer.WriteBytes(numbers);
        writer.WriteVector8(nonce);
        writer.WriteVector16(ticket);
        WireWriter.LengthScope extensions = writer.Begin(2);
        if (maxEarlyData != 0)
            EarlyDataExtension.WriteLimit(writer, (uint)maxEarlyData);
        writer.End(extensions);
        writer.End(message);
    }
}
