namespace CryptoPlane.Ike.Wire;

/// <summary>
/// What a notification says (RFC 7296 §3.10.1 and the RFCs named below). Below 16384 it is an error; unknown status types are ignored.
/// </summary>
internal enum NotifyType : ushort
{
    UnsupportedCriticalPayload = 1,
    InvalidIkeSpi = 4,
    InvalidMajorVersion = 5,
    InvalidSyntax = 7,
    InvalidMessageId = 9,
    InvalidSpi = 11,
    NoProposalChosen = 14,
    InvalidKePayload = 17,
    AuthenticationFailed = 24,
    SinglePairRequired = 34,
    NoAdditionalSas = 35,
    InternalAddressFailure = 36,
    FailedCpRequired = 37,
    TsUnacceptable = 38,
    InvalidSelectors = 39,

    /// <summary>RFC 4555 (MOBIKE).</summary>
    UnacceptableAddresses = 40,

    /// <summary>RFC 4555 (MOBIKE).</summary>
    UnexpectedNatDetected = 41,

    TemporaryFailure = 43,
    ChildSaNotFound = 44,

    /// <summary>RFC 9370 (multiple key exchanges).</summary>
    StateNotFound = 47,

    /// <summary>RFC 9611: no further child SA for another resource.</summary>
    TsMaxQueue = 48,

    InitialContact = 16384,
    SetWindowSize = 16385,
    AdditionalTsPossible = 16386,
    IpcompSupported = 16387,
    NatDetectionSourceIp = 16388,
    NatDetectionDestinationIp = 16389,
    Cookie = 16390,
    UseTransportMode = 16391,
    HttpCertLookupSupported = 16392,
    RekeySa = 16393,
    EspTfcPaddingNotSupported = 16394,
    NonFirstFragmentsAlso = 16395,

    /// <summary>RFC 4555 §4.1, and the following to 16402.</summary>
    MobikeSupported = 16396,
    AdditionalIp4Address = 16397,
    AdditionalIp6Address = 16398,
    NoAdditionalAddresses = 16399,
    UpdateSaAddresses = 16400,
    Cookie2 = 16401,
    NoNatsAllowed = 16402,

    /// <summary>RFC 4478.</summary>
    AuthLifetime = 16403,

    /// <summary>RFC 4739.</summary>
    MultipleAuthSupported = 16404,
    AnotherAuthFollows = 16405,

    /// <summary>RFC 5685.</summary>
    RedirectSupported = 16406,
    Redirect = 16407,
    RedirectedFrom = 16408,

    /// <summary>RFC 5998.</summary>
    EapOnlyAuthentication = 16417,

    /// <summary>RFC 6023.</summary>
    ChildlessIkev2Supported = 16418,

    /// <summary>RFC 6290.</summary>
    QuickCrashDetection = 16419,

    /// <summary>RFC 6311.</summary>
    Ikev2MessageIdSyncSupported = 16420,

    /// <summary>RFC 7383.</summary>
    Ikev2FragmentationSupported = 16430,

    /// <summary>RFC 7427.</summary>
    SignatureHashAlgorithms = 16431,

    /// <summary>RFC 8784.</summary>
    UsePpk = 16435,
    PpkIdentity = 16436,
    NoPpkAuth = 16437,

    /// <summary>RFC 9242.</summary>
    IntermediateExchangeSupported = 16438,

    /// <summary>RFC 9370.</summary>
    AdditionalKeyExchange = 16441,

    /// <summary>RFC 9593.</summary>
    SupportedAuthMethods = 16443,

    /// <summary>RFC 9611: the child SA is for one resource (CPU) of the sender.</summary>
    SaResourceInfo = 16444,
}
