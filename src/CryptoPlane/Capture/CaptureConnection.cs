using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>What a capture knows of a TCP connection of which the broker sees the stream only. Belongs to the connection's lcore.</summary>
public struct CaptureConnection
{
    /// <summary>The other end.</summary>
    public PacketEndpoint Peer;

    /// <summary>This end.</summary>
    public PacketEndpoint Local;

    /// <summary>Whose it is: as <see cref="CaptureRecord.Subject"/>.</summary>
    public ulong Subject;

    /// <summary>
    /// Bytes that were received while a capture ran. They take the place of sequence numbers, which only the kernel knows: in a capture
    /// the parts join, and a gap is a gap.
    /// </summary>
    public uint Received;

    /// <summary>Bytes that were sent, likewise.</summary>
    public uint Sent;
}
