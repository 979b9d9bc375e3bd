namespace CryptoPlane.Dpdk;

/// <summary>DPDK or a device of it refused something on a control path; the message says what to do.</summary>
public sealed class DpdkException : Exception
{
    /// <inheritdoc/>
    public DpdkException()
    {
    }

    /// <inheritdoc/>
    public DpdkException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public DpdkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal DpdkException(string message, int error)
        : base($"{message} (errno {-error})") => Error = -error;

    /// <summary>The errno, or 0.</summary>
    public int Error { get; }
}
