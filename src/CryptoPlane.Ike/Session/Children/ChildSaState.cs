namespace CryptoPlane.Ike.Session;

/// <summary>The life of a child SA.</summary>
internal enum ChildSaState
{
    /// <summary>It receives. It is not sent on yet: the peer that rekeyed may not be ready (RFC 7296 §2.8).</summary>
    Installed,

    /// <summary>It receives and is sent on.</summary>
    Active,

    /// <summary>We are going to delete it, or have asked the peer to.</summary>
    Deleting,

    /// <summary>It is deleted on both sides, and replaced: it receives for a while what was on its way.</summary>
    Lingering,

    /// <summary>It is gone.</summary>
    Removed,
}
