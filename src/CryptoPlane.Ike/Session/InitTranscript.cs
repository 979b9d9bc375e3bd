namespace CryptoPlane.Ike.Session;

/// <summary>
/// What both sides said in IKE_SA_INIT: AUTH covers it (RFC 7296 §2.15), and the first child SA's keys come from its nonces (§2.17).
/// </summary>
/// <param name="Request">The request, as it was answered.</param>
/// <param name="Response">The response.</param>
/// <param name="InitiatorNonce">Ni.</param>
/// <param name="ResponderNonce">Nr.</param>
internal sealed record InitTranscript(byte[] Request, byte[] Response, byte[] InitiatorNonce, byte[] ResponderNonce);
