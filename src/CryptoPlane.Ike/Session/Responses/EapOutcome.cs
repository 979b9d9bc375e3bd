namespace CryptoPlane.Ike.Session;

/// <summary>Where IKE_AUTH with EAP stands.</summary>
internal enum EapOutcome
{
    /// <summary>The response has a further EAP packet; the client's answer to it comes next.</summary>
    Continues,

    /// <summary>The user has shown to know the password, and the client to know what came of it.</summary>
    Authenticated,

    /// <summary>The response tells the client that it is over; the client may answer that, or just go.</summary>
    Refusing,

    /// <summary>It is over.</summary>
    Refused,
}
