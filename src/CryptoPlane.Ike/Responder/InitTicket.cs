using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;

namespace CryptoPlane.Ike.Responder;

/// <summary>What the gate remembers of a request that it let through, until its IKE SA is open.</summary>
/// <param name="Address">Whose limits it counts for.</param>
/// <param name="Digest">
/// Half a SHA-256 over the whole request and where it came from. RFC 7296 §2.1: peers behind a NAT may choose the same SPI, so a repeated
/// request is known by all of its bytes.
/// </param>
internal readonly record struct InitTicket(AddressKey Address, UInt128 Digest)
{
    public static InitTicket Of(IPEndPoint remote, ReadOnlySpan<byte> message)
    {
        Span<byte> source = stackalloc byte[20];
        source.Clear();
        remote.Address.TryWriteBytes(source, out int length);
        BinaryPrimitives.WriteUInt16BigEndian(source[16..], (ushort)remote.Port);
        BinaryPrimitives.WriteUInt16BigEndian(source[18..], (ushort)length);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(source);
        hash.AppendData(message);
        hash.GetHashAndReset(digest);
        return new InitTicket(AddressKey.Of(remote.Address), BinaryPrimitives.ReadUInt128BigEndian(digest));
    }
}
