namespace CryptoPlane.Ike.Fragmentation;

/// <summary>What became of a protected message.</summary>
internal enum OpenStatus
{
    /// <summary>Its payloads are here, and authentic.</summary>
    Opened,

    /// <summary>It was an authentic fragment, and others are missing.</summary>
    Incomplete,

    /// <summary>It has no Encrypted payload where one has to be, or fragment numbers that cannot be.</summary>
    Malformed,

    /// <summary>The ICV is wrong: anybody may have sent it.</summary>
    NotAuthentic,

    /// <summary>A fragment that is there already, or of an older split.</summary>
    Duplicate,

    /// <summary>More fragments or bytes than <see cref="FragmentLimits"/> allow.</summary>
    TooLarge,
}
