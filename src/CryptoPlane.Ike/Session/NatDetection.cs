using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>Finds translators of addresses on the way (RFC 7296 §2.23): each side hashes what it believes its addresses to be.</summary>
internal static class NatDetection
{
    /// <summary>
    /// The hash of an address and port within an IKE SA: SHA-1(SPIi | SPIr | address | port). It hides nothing and protects nothing.
    /// </summary>
    public static byte[] Hash(ulong initiatorSpi, ulong responderSpi, IPEndPoint endPoint)
    {
        Span<byte> input = stackalloc byte[8 + 8 + 16 + 2];
        BinaryPrimitives.WriteUInt64BigEndian(input, initiatorSpi);
        BinaryPrimitives.WriteUInt64BigEndian(input[8..], responderSpi);
        endPoint.Address.TryWriteBytes(input[16..], out int length);
        BinaryPrimitives.WriteUInt16BigEndian(input[(16 + length)..], (ushort)endPoint.Port);
#pragma warning disable CA5350 // RFC 7296 §2.23 fixes SHA-1; both inputs are public.
        return SHA1.HashData(input[..(16 + length + 2)]);
#pragma warning restore CA5350
    }

    /// <summary>The two notifications that a side sends.</summary>
    /// <param name="initiatorSpi">SPIi of the message.</param>
    /// <param name="responderSpi">SPIr of the message; 0 in the first.</param>
    /// <param name="local">Where the message leaves.</param>
    /// <param name="remote">Where it goes.</param>
    /// <param name="spoiltSource">
    /// 20 random bytes instead of the hash of our own address, so that the peer finds a NAT that is not there and encloses ESP in UDP;
    /// null: the hash.
    /// </param>
    public static IEnumerable<NotifyPayload> Notifications(ulong initiatorSpi, ulong responderSpi, IPEndPoint local, IPEndPoint remote, byte[]? spoiltSource)
    {
        yield return new NotifyPayload(NotifyType.NatDetectionSourceIp, spoiltSource ?? Hash(initiatorSpi, responderSpi, local));
        yield return new NotifyPayload(NotifyType.NatDetectionDestinationIp, Hash(initiatorSpi, responderSpi, remote));
    }

    /// <summary>What a peer's notifications tell.</summary>
    /// <param name="header">Of the message that they came in.</param>
    /// <param name="payloads">The message's payloads.</param>
    /// <param name="local">Where the message came to.</param>
    /// <param name="remote">Where it came from.</param>
    /// <returns>Whether the peer sent them at all, and which side is behind a NAT.</returns>
    public static (bool Supported, bool LocalBehindNat, bool RemoteBehindNat) Evaluate(
        in IkeHeader header, IkePayloads payloads, IPEndPoint local, IPEndPoint remote)
    {
        NotifyPayload? destination = payloads.Find(NotifyType.NatDetectionDestinationIp);
        if (destination is null || payloads.Find(NotifyType.NatDetectionSourceIp) is null)
            return default;
        byte[] ours = Hash(header.InitiatorSpi, header.ResponderSpi, local);
        byte[] peers = Hash(header.InitiatorSpi, header.ResponderSpi, remote);
        // RFC 7296 §2.23: there may be several sources, where a host has several addresses; one that matches is enough.
        bool remoteMatches = payloads.Notifications.Any(n => n.NotifyType == NotifyType.NatDetectionSourceIp && n.Data.AsSpan().SequenceEqual(peers));
        return (true, !destination.Data.AsSpan().SequenceEqual(ours), !remoteMatches);
    }
}
