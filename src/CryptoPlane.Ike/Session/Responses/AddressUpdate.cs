using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>MOBIKE as the responder (RFC 4555): the peer says that it has moved, is followed, and has to show that it is there.</summary>
internal static class AddressUpdate
{
    /// <summary>Answers what an INFORMATIONAL request says of addresses.</summary>
    public static void Handle(IkeSa sa, IkePayloads request, PeerPath back, List<IIkePayload> response)
    {
        // RFC 4555 §3.7: the peer looks whether we are where it believes us to be.
        if (request.Find(NotifyType.Cookie2) is { } cookie)
            response.Add(cookie);
        if (!sa.Peer.Mobike || request.Find(NotifyType.NatDetectionSourceIp) is null)
            return;
        (ulong initiator, ulong responder) = sa.IsInitiator ? (sa.LocalSpi, sa.RemoteSpi) : (sa.RemoteSpi, sa.LocalSpi);
        IkeHeader header = new(initiator, responder, ExchangeType.Informational, IkeHeaderFlags.None, 0);
        (bool supported, bool localNat, bool remoteNat) = NatDetection.Evaluate(header, request, back.Local, back.Remote);
        bool force = sa.Connection!.ForceEncapsulation;
        if (supported)
            response.AddRange(NatDetection.Notifications(initiator, responder, back.Local, back.Remote, force ? sa.Host.RandomBytes(20) : null));
        // RFC 4555 §3.5: only with this notification do the addresses change; without it the peer only asks about NATs on the way.
        if (request.Find(NotifyType.UpdateSaAddresses) is null)
            return;
        bool isElsewhere = !back.SameWay(sa.Path);
        sa.Move(back with { LocalBehindNat = localNat || force, RemoteBehindNat = remoteNat });
        if (isElsewhere)
            sa.Exchanges.EnqueueFirst(new RoutabilityExchange());
    }
}
