using System.Security.Cryptography;

namespace CryptoPlane.Tls;

/// <summary>
/// Public-key work that a handshake waits for. It is separate from the connection, so that the application says which thread computes it:
/// <see cref="Execute"/> runs on any thread, once, while nothing else is called on the connection; then the handshake goes on.
/// </summary>
public abstract class TlsPendingWork : IDisposable
{
    private bool _started;
    private volatile bool _isDone;

    private protected TlsPendingWork(TlsStatus status) => Status = status;

    /// <summary>
    /// What kind of work it is: <see cref="TlsStatus.NeedsKeyAgreement"/>, <see cref="TlsStatus.NeedsSignature"/>,
    /// <see cref="TlsStatus.NeedsCertificateVerification"/> or, for a <see cref="TlsCertificateDecision"/>,
    /// <see cref="TlsStatus.NeedsCertificateDecision"/>.
    /// </summary>
    public TlsStatus Status { get; }

    /// <summary>Whether the work was executed; readable on any thread.</summary>
    public bool IsDone => _isDone;

    /// <summary>What went wrong; null if nothing did. Valid once the work is done.</summary>
    internal TlsError? Error { get; private set; }

    /// <summary>
    /// Does the work: 30 µs to some milliseconds of computing, and network traffic if revocation is checked online. A failure is kept
    /// for the handshake to report; nothing is thrown for what the peer sent.
    /// </summary>
    /// <exception cref="InvalidOperationException">The work was executed before.</exception>
    public void Execute()
    {
        if (_started)
            throw new InvalidOperationException("The work was executed before: call Handshake to go on.");
        _started = true;
        try
        {
            Error = Run();
        }
        catch (CryptographicException exception)
        {
            Error = TlsError.Local($"Public-key work failed on this side: {exception.Message}");
        }
        _isDone = true;
    }

    /// <summary>Computes.</summary>
    private protected abstract TlsError? Run();

    /// <summary>Erases what secrets the work holds.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Erases what secrets the work holds.</summary>
    /// <param name="disposing">Always true: there is no finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
