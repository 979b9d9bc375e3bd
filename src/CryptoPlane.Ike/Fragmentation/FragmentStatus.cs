namespace CryptoPlane.Ike.Fragmentation;

/// <summary>What became of a fragment.</summary>
internal enum FragmentStatus
{
    /// <summary>Kept; others are missing.</summary>
    Stored,

    /// <summary>It was the last one that was missing.</summary>
    Complete,

    /// <summary>It is there already.</summary>
    Duplicate,

    /// <summary>
    /// It belongs to a split into fewer fragments than one that is known to be authentic, which came later (RFC 7383 §2.6).
    /// </summary>
    Outdated,

    /// <summary>The message would have more fragments or more bytes than the limits allow.</summary>
    TooLarge,

    /// <summary>
    /// The first fragment says that nothing is in the message, or a later one says what is in it, which only the first may (§2.5).
    /// </summary>
    Malformed,
}
