using CryptoPlane.Ipfix.Export;

namespace CryptoPlane.Ipfix.Messages;

/// <summary>Where the messages of a session go: a transport, a file, a test.</summary>
public interface IIpfixOutput
{
    /// <summary>Takes one whole message.</summary>
    /// <param name="message">Its bytes, valid during the call.</param>
    /// <param name="flows">The flow records in it.</param>
    void Write(ReadOnlySpan<byte> message, in FlowTotals flows);
}
