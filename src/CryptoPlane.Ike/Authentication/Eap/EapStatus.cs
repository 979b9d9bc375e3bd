namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>Where an EAP conversation stands.</summary>
internal enum EapStatus
{
    /// <summary>The packet is a request: send it and wait for the answer.</summary>
    Request,

    /// <summary>The packet is EAP's Success: send it; the user is authenticated once the client's AUTH by the MSK is right too.</summary>
    Success,

    /// <summary>The packet is EAP's Failure: send it and close the IKE SA.</summary>
    Failure,
}
