using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>Messages of one IKE SA between payloads and datagrams: seals and opens them, whole or in fragments.</summary>
internal sealed class SecureChannel(AeadEngine engine, IkeKeys keys, bool isInitiator) : IDisposable
{
    private readonly SkProtection _protection = new(engine, keys, isInitiator);

    // RFC 7383 §2.6: with windows of one message, one request and one response can be on their way.
    private readonly FragmentReassembler _requests = new(FragmentLimits.Default), _responses = new(FragmentLimits.Default);

    /// <summary>Longest packet of ours in bytes where the peer takes fragments (RFC 7383 §2.3); 0: neither side sends any.</summary>
    public int FragmentSize { get; set; }

    /// <summary>When a message whose fragments did not all come is forgotten.</summary>
    public long NextTimeout => Math.Min(_requests.Deadline, _responses.Deadline);

    /// <summary>Seals a message.</summary>
    /// <returns>The datagrams that it takes, without non-ESP markers.</returns>
    public IReadOnlyList<byte[]> Seal(in IkeHeader header, IkeWriter payloads, IPEndPoint local)
    {
        int longest = FragmentSize == 0
            ? int.MaxValue : Fragmentation.FragmentSize.MessageBytes(FragmentSize, local.AddressFamily, local.Port == PeerPath.NatTraversalPort);
        return SealedMessages.Seal(_protection, header, payloads, longest);
    }

    /// <summary>
    /// Opens a datagram whose message ID is one that is awaited. Nothing of it may be believed before this is
    /// <see cref="OpenStatus.Opened"/>.
    /// </summary>
    public OpenStatus Open(in IkeHeader header, ReadOnlySpan<byte> message, long now, out PayloadType first, out byte[] payloads)
    {
        FragmentReassembler? reassembler = FragmentSize == 0 ? null : header.IsResponse ? _responses : _requests;
        return SealedMessages.Open(_protection, reassembler, header, message, now, out first, out payloads);
    }

    /// <summary>Whether a datagram, whose message ID is that of the request answered last, asks for that answer again.</summary>
    public bool IsRepeat(in IkeHeader header, ReadOnlySpan<byte> message) => SealedMessages.IsRepeat(_protection, FragmentSize != 0, header, message);

    /// <summary>Forgets messages whose fragments did not all come.</summary>
    public void HandleTimeout(long now)
    {
        _requests.Expire(now);
        _responses.Expire(now);
    }

    /// <summary>Zeroes the keys.</summary>
    public void Dispose() => _protection.Dispose();
}
