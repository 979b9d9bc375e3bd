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
    /// It belongs to an earlier message than the one that is on its way, or to a split of it into fewer fragments, which its sender has given
    /// up (RFC 7383 §2.6).
    /// </summary>
    Outdated,

    /// <summary>The message would have more fragments or more bytes than the limits allow.</summary>
    TooLarge,

    /// <summary>
    /// The first fragment says that nothing is in the message, or a later one says what is in it, which only the first may (§2.5).
    /// </summary>
    Malformed,
}
