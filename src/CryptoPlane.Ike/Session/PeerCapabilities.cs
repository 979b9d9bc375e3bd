using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>What the peer has said that it can.</summary>
internal sealed class PeerCapabilities
{
    /// <summary>It takes fragments (RFC 7383 §2.3).</summary>
    public bool Fragmentation { get; set; }

    /// <summary>It speaks IKE_INTERMEDIATE (RFC 9242 §3.1). That is settled before both sides have authenticated; a rekey has no use for it.</summary>
    public bool Intermediate { get; private set; }

    /// <summary>It may move, and expects to be followed (RFC 4555 §3.1).</summary>
    public bool Mobike { get; set; }

    /// <summary>The hashes with which it verifies signatures, in its order (RFC 7427 §4); null: it does not have that.</summary>
    public IReadOnlyCollection<ushort>? SignatureHashes { get; set; }

    /// <summary>What we say of ourselves in IKE_SA_INIT.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="intermediate">Whether there may be IKE_INTERMEDIATE: what the initiator wants it for, and the responder answers.</param>
    public static IEnumerable<NotifyPayload> InitNotifications(IkeConnection connection, bool intermediate)
    {
        yield return NotifyPayload.HashAlgorithms(Authentication.SignatureHashes.Numbers);
        if (connection.FragmentSize != 0)
            yield return new NotifyPayload(NotifyType.Ikev2FragmentationSupported);
        if (intermediate)
            yield return new NotifyPayload(NotifyType.IntermediateExchangeSupported);
    }

    /// <summary>Takes what IKE_SA_INIT says.</summary>
    public void ReadInit(IkePayloads payloads)
    {
        Fragmentation = payloads.Find(NotifyType.Ikev2FragmentationSupported) is not null;
        Intermediate = SpeaksIntermediate(payloads);
        if (payloads.Find(NotifyType.SignatureHashAlgorithms)?.TryGetHashAlgorithms(out ushort[] hashes) == true)
            SignatureHashes = hashes;
    }

    /// <summary>Whether who sent this message of IKE_SA_INIT speaks IKE_INTERMEDIATE.</summary>
    public static bool SpeaksIntermediate(IkePayloads payloads) => payloads.Find(NotifyType.IntermediateExchangeSupported) is not null;

    /// <summary>Takes over what the IKE SA before this one knew: a rekey does not say it again.</summary>
    public void CopyFrom(PeerCapabilities other)
    {
        Fragmentation = other.Fragmentation;
        Mobike = other.Mobike;
        SignatureHashes = other.SignatureHashes;
    }
}
