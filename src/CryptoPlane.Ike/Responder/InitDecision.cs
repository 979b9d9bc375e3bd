namespace CryptoPlane.Ike.Responder;

/// <summary>What is to be done with an IKE_SA_INIT request.</summary>
internal enum InitDecision
{
    /// <summary>Read it and answer it. If that makes an IKE SA, <see cref="InitGate.Open"/> is to be told.</summary>
    Accept,

    /// <summary>Send the reply that comes with the decision, and nothing else.</summary>
    Reply,

    /// <summary>Do nothing.</summary>
    Drop,
}
