namespace CryptoPlane.Ike.Session;

/// <summary>The one request that we wait to have answered: our window is 1 (RFC 7296 §2.3).</summary>
internal sealed class OutstandingRequest(Exchange exchange, uint messageId, IReadOnlyList<byte[]> messages)
{
    /// <summary>What it is for.</summary>
    public Exchange Exchange { get; } = exchange;

    /// <summary>Its message ID.</summary>
    public uint MessageId { get; } = messageId;

    /// <summary>The message, or its fragments: sent again as they are (RFC 7296 §2.1).</summary>
    public IReadOnlyList<byte[]> Messages { get; } = messages;

    /// <summary>How often it was sent again.</summary>
    public int Retransmissions { get; set; }

    /// <summary>When it is sent again, or given up.</summary>
    public long NextAt { get; set; }

    /// <summary>When it is given up however often it was sent.</summary>
    public required long GiveUpAt { get; init; }
}
