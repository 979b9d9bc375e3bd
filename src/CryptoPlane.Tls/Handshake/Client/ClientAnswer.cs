using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>A client's answer to a CertificateRequest (RFC 8446 §4.4.2.3): one of its credentials, or none.</summary>
/// <param name="RequestContext">To be echoed.</param>
/// <param name="Credential">Null for an empty Certificate.</param>
/// <param name="Scheme">What to sign with.</param>
/// <param name="Form">How the server wants the certificate.</param>
internal sealed record ClientAnswer(byte[] RequestContext, TlsCredential? Credential, TlsSignatureScheme Scheme, CertificateForm Form = default)
{
    /// <summary>Takes the first credential that the request allows.</summary>
    public static ClientAnswer To(CertificateRequestMessage request, TlsClientOptions options)
    {
        byte[] context = request.Context.ToArray();
        foreach (TlsCredential credential in options.Credentials)
        {
            // RFC 8446 §4.4.2.3: the authorities, if any are named, the algorithms of the chain's signatures, and the oid_filters.
            if ((!request.Authorities.IsEmpty && !credential.IsIssuedBy(request.Authorities))
                || !credential.IsSignedWith(request.CertificateSchemes) || !request.Filters.Match(credential.Certificate))
                continue;
            foreach (TlsSignatureScheme scheme in options.SignatureSchemes)
            {
                // RFC 8446 §4.4.3: "the signature algorithm used in the signature MUST be one of those present in the
                // supported_signature_algorithms field of the "signature_algorithms" extension in the CertificateRequest message."
                if (credential.Supports(scheme) && request.Schemes.Contains((ushort)scheme))
                    return new ClientAnswer(context, credential, scheme, request.Form);
            }
        }
        return new ClientAnswer(context, null, TlsSignatureScheme.None);
    }

    /// <summary>Writes the Certificate: RFC 8446 §4.4.2: with no suitable certificate, "a Certificate message containing no certificates".</summary>
    public void WriteCertificate(WireWriter writer)
    {
        if (Credential is { } credential)
            credential.WriteCertificate(writer, RequestContext, Form);
        else
            CertificateMessage.Write(writer, RequestContext, []);
    }
}
