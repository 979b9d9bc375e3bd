namespace VpnBroker.Configuration.Parsing;

/// <summary>Whether the keys of an IKE SA come from ML-KEM too.</summary>
internal enum PostQuantum
{
    /// <summary>They do not.</summary>
    Off,

    /// <summary>Where the other side can.</summary>
    Preferred,

    /// <summary>Or there is no tunnel.</summary>
    Required,
}
