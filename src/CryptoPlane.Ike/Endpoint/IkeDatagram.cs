using System.Net;

namespace CryptoPlane.Ike;

/// <summary>A UDP datagram to send.</summary>
/// <param name="Local">From where: the address and port that it must leave by.</param>
/// <param name="Remote">To where.</param>
/// <param name="Payload">
/// All of it. Where the local port is 4500 it begins with the non-ESP marker (RFC 3948 §2.2), or it is a NAT keepalive: the one byte FF.
/// </param>
public sealed record IkeDatagram(IPEndPoint Local, IPEndPoint Remote, ReadOnlyMemory<byte> Payload);
