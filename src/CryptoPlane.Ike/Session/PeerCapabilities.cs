using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>What the peer has said that it can.</summary>
internal sealed class PeerCapabilities
{
    /// <summary>It takes fragments (RFC 7383 §2.3).</summary>
    public bool Fragmentation { get; set; }

    /// <summary>It may move, and expects to be followed (RFC 4555 §3.1).</summary>
    public bool Mobike { get; set; }

    /// <summary>The hashes with which it verifies signatures, in its order (RFC 7427 §4); null: it does not have that.</summary>
    public IReadOnlyCollection<ushort>? SignatureHashes { get; set; }

    /// <summary>What we say of ourselves in IKE_SA_INIT.</summary>
    public static IEnumerable<NotifyPayload> InitNotifications(IkeConnection connection)
    {
        yield return NotifyPayload.HashAlgorithms(Authentication.SignatureHashes.Numbers);
        if (connection.FragmentSize != 0)
            yield return new NotifyPayload(NotifyType.Ikev2FragmentationSupported);
    }

    /// <summary>Takes what IKE_SA_INIT says.</summary>
    public void ReadInit(IkePayloads payloads)
    {
        Fragmentation = payloads.Find(NotifyType.Ikev2FragmentationSupported) is not null;
        if (payloads.Find(NotifyType.SignatureHashAlgorithms)?.TryGetHashAlgorithms(out ushort[] hashes) == true)
            SignatureHashes = hashes;
    }

    /// <summary>Takes over what the IKE SA before this one knew: a rekey does not say it again.</summary>
    public void CopyFrom(PeerCapabilities other)
    {
        Fragmentation = other.Fragmentation;
        Mobike = other.Mobike;
        SignatureHashes = other.SignatureHashes;
    }
}
