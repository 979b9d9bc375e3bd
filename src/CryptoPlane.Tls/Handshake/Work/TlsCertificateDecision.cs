using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls;

/// <summary>
/// A client's certificate that waits for the application's word (<see cref="TlsStatus.NeedsCertificateDecision"/>, with
/// <see cref="TlsClientAuthentication.ApplicationDecides"/>). The client has proved that it has the private key. Call <see cref="Accept"/> or
/// <see cref="Refuse"/> on any thread, once, while nothing else is called on the connection; then the handshake goes on.
/// </summary>
/// <remarks>A driver that knows nothing of decisions, and calls <see cref="TlsPendingWork.Execute"/>, fails the connection.</remarks>
public sealed class TlsCertificateDecision : TlsPendingWork
{
    private TlsError? _verdict = TlsError.Local("The application did not decide about the client's certificate.");
    private X509Certificate2? _certificate;

    internal TlsCertificateDecision(X509Certificate2 certificate, X509Certificate2Collection intermediates, bool isResumed)
        : base(TlsStatus.NeedsCertificateDecision)
    {
        _certificate = Certificate = certificate;
        Intermediates = intermediates;
        IsResumed = isResumed;
    }

    /// <summary>The client's own certificate; the connection's from its acceptance on.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What the client sent besides: candidates for its chain, in no order that could be relied on. Gone with the decision.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>
    /// Whether the certificate is an earlier connection's, which this one resumes: it was accepted then, and is asked about again, since
    /// the application may think otherwise by now. Its intermediates are not known any more.
    /// </summary>
    public bool IsResumed { get; }

    /// <summary>Lets the client in.</summary>
    /// <exception cref="InvalidOperationException">There was a decision before.</exception>
    public void Accept() => Decide(null);

    /// <summary>Refuses the client.</summary>
    /// <param name="alert">What it is told: one of the alerts about certificates (RFC 8446 §6.2), or access_denied.</param>
    /// <exception cref="ArgumentOutOfRangeException">The alert is not about certificates.</exception>
    /// <exception cref="InvalidOperationException">There was a decision before.</exception>
    public void Refuse(TlsAlert alert = TlsAlert.AccessDenied)
    {
        if (alert is not (TlsAlert.BadCertificate or TlsAlert.UnsupportedCertificate or TlsAlert.CertificateRevoked or TlsAlert.CertificateExpired
            or TlsAlert.CertificateUnknown or TlsAlert.UnknownCa or TlsAlert.AccessDenied))
            throw new ArgumentOutOfRangeException(nameof(alert), alert, "Not an alert about a certificate.");
        Decide(TlsError.Rejected(alert, "The application refused the client's certificate."));
    }

    /// <summary>Hands the client's certificate over; the caller disposes of it.</summary>
    internal X509Certificate2? TakeCertificate()
    {
        X509Certificate2? certificate = _certificate;
        _certificate = null;
        return certificate;
    }

    private void Decide(TlsError? verdict)
    {
        if (IsDone)
            throw new InvalidOperationException("There was a decision about the certificate before.");
        _verdict = verdict;
        Execute();
    }

    private protected override TlsError? Run() => _verdict;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _certificate?.Dispose();
        foreach (X509Certificate2 other in Intermediates)
            other.Dispose();
    }
}
