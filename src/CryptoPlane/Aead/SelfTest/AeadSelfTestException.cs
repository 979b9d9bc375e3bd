namespace CryptoPlane.Aead;

/// <summary>A backend gave a wrong answer to a known question: the library or the CPU is broken, and the backend is not used.</summary>
public sealed class AeadSelfTestException : InvalidOperationException
{
    /// <inheritdoc/>
    public AeadSelfTestException()
    {
    }

    /// <inheritdoc/>
    public AeadSelfTestException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public AeadSelfTestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
