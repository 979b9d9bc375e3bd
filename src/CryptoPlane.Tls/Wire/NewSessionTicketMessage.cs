namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a NewSessionTicket's body (RFC 8446 §4.6.1).</summary>
internal readonly ref struct NewSessionTicketMessage
{
    /// <summary>RFC 8446 §4.6.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."</summary>
    public const uint MaxLifetimeSeconds = 604_800;

    private NewSessionTicketMessage(uint lifetimeSeconds, uint ageAdd, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ticket, ExtensionList extensions)
    {
        LifetimeSeconds = lifetimeSeconds;
        AgeAdd = ageAdd;
        Nonce = nonce;
        Ticket = ticket;
        Extensions = extensions;
    }

    public uint LifetimeSeconds { get; }

    public uint AgeAdd { get; }

    public ReadOnlySpan<byte> Nonce { get; }

    public ReadOnlySpan<byte> Ticket { get; }

    public ExtensionList Extensions { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out NewSessionTicketMessage message)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt32(out uint lifetime) || !reader.TryReadUInt32(out uint ageAdd)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> nonce)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> ticket) || ticket.IsEmpty
            || !reader.TryReadVector16(out ReadOnlySpan<byte> vector) || !reader.IsAtEnd)
            return TlsError.Decode("The NewSessionTicket is malformed.");
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        message = new NewSessionTicketMessage(lifetime, ageAdd, nonce, ticket, extensions);
        return null;
    }
}
