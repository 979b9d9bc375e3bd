using System.Buffers.Binary;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>A child SA that the peer asks for, within IKE_AUTH or CREATE_CHILD_SA: what it is granted, and what it is told.</summary>
internal static class ChildAnswer
{
    /// <summary>Answers an offer: agrees to a child SA, or refuses. Nothing is granted beyond the configuration.</summary>
    /// <param name="sa">The IKE SA, whose connection is known.</param>
    /// <param name="request">The peer's request.</param>
    /// <param name="replaces">The child SA that it is to replace; null for a new one.</param>
    /// <param name="nonces">Ni and Nr of the exchange (of IKE_SA_INIT, in IKE_AUTH).</param>
    /// <param name="isAuthExchange">Whether the exchange is IKE_AUTH, whose response has no nonce and no key exchange.</param>
    /// <param name="response">Takes the payloads of the answer, or the error.</param>
    /// <param name="now">The time.</param>
    /// <returns>The child SA, for the caller to install, or to keep until all its key exchanges are made; null where it was refused.</returns>
    public static AgreedChild? Make(
        IkeSa sa, IkePayloads request, ChildSa? replaces, (byte[] Initiator, byte[] Responder) nonces, bool isAuthExchange,
        List<IIkePayload> response, long now)
    {
        if (request is not { SecurityAssociation: { } offer, TrafficSelectorsInitiator: { } remote, TrafficSelectorsResponder: { } local })
            return Refuse(response, NotifyType.InvalidSyntax);
        if (sa.Children.Count + sa.FollowUps.Count >= sa.Host.Options.MaxChildSas)
            return Refuse(response, NotifyType.NoAdditionalSas);
        // All of a remote user's traffic has one address: a second child SA for it would take it from the first.
        if (replaces is null && sa.Lease is not null && sa.Connection!.Children.Any(child => sa.Children.Has(child, null)))
            return Refuse(response, NotifyType.NoAdditionalSas);

        IReadOnlyList<IkeChild> children = replaces is null ? sa.Connection!.Children : [replaces.Configuration];
        (IReadOnlyList<TrafficSelector>, IReadOnlyList<TrafficSelector>)[] allowed = [.. children.Select(child => (Local(sa, child), Remote(sa, child)))];
        if (NarrowedSelectors.Choose(local.Selectors, remote.Selectors, allowed) is not { } granted)
            return Refuse(response, NotifyType.TsUnacceptable);
        IkeChild configuration = children[granted.Index];
        bool transport = configuration.Mode == IkeChildMode.Transport;
        if (EspProposals.Choose(configuration.Proposals, offer, isAuthExchange) is not { } chosen
            || (transport && request.Find(NotifyType.UseTransportMode) is null))
            return Refuse(response, NotifyType.NoProposalChosen);
        KeyExchangeMethod method = chosen.Suite.KeyExchange;
        if (method != KeyExchangeMethod.None && request.KeyExchange?.Method != (ushort)method)
        {
            response.Add(NotifyPayload.InvalidKePayload((ushort)method));
            return null;
        }
        if (!chosen.Suite.Additional.IsEmpty && sa.FollowUps.IsFull)
            return Refuse(response, NotifyType.TemporaryFailure);
        bool withInfo = sa.Connection!.Resources > 0 && request.Find(NotifyType.SaResourceInfo) is not null;
        if (!TryChooseResource(sa, configuration, replaces, withInfo, granted.Selectors.Local, out int? resource))
            return Refuse(response, NotifyType.TsMaxQueue);

        ReadOnlyMemory<byte> publicValue = default;
        SecretBytes? secret = method == KeyExchangeMethod.None
            ? null : IkeKeyExchange.Respond(method, request.KeyExchange!.PublicValue, out publicValue);
        if (method != KeyExchangeMethod.None && secret is null)
            return Refuse(response, NotifyType.InvalidSyntax);
        uint spi = sa.Host.Options.ChildSpis.Allocate(resource ?? sa.Lease?.Grant.Resource ?? -1, replaces?.Id.InboundSpi ?? 0);
        if (spi == 0)
        {
            secret?.Dispose();
            return Refuse(response, NotifyType.NoAdditionalSas);
        }

        byte[] spiBytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(spiBytes, spi);
        response.Add(chosen.Answer(spiBytes));
        if (!isAuthExchange)
            response.Add(new NoncePayload(nonces.Responder));
        if (secret is not null)
            response.Add(new KeyExchangePayload((ushort)method, publicValue.ToArray()));
        response.Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, granted.Selectors.Remote));
        response.Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, granted.Selectors.Local));
        if (transport)
            response.Add(new NotifyPayload(NotifyType.UseTransportMode));
        if (withInfo)
            response.Add(SaResourceInfo.Create(resource ?? -1));

        ChildSa child = new()
        {
            Id = new ChildSaId(spi),
            OutboundSpi = (uint)chosen.Proposal.SpiValue,
            Configuration = configuration,
            Suite = chosen.Suite,
            LocalSelectors = granted.Selectors.Local,
            RemoteSelectors = granted.Selectors.Remote,
            Resource = resource,
            HasResourceInfo = withInfo,
            InstalledAt = now,
            Parent = sa,
            RekeyAt = sa.Host.RekeyTime(configuration.Lifetime, now),
            ExpireAt = now + configuration.Lifetime.ExpireAfter,
            Replaces = replaces,
        };
        return new AgreedChild(child, secret, nonces, isInitiator: false);
    }

    /// <summary>Our side of a child of the configuration: of a remote user, what of it the user is granted.</summary>
    private static IReadOnlyList<TrafficSelector> Local(IkeSa sa, IkeChild child) =>
        sa.Lease?.Grant.LocalSelectors is { } granted ? SelectorSets.Intersect(granted, child.LocalSelectors) : child.LocalSelectors;

    /// <summary>The peer's side of a child of the configuration: of a remote user, no more than the addresses that it was given.</summary>
    private static IReadOnlyList<TrafficSelector> Remote(IkeSa sa, IkeChild child) =>
        sa.Lease is null ? child.RemoteSelectors : SelectorSets.Intersect(sa.Lease.Selectors, child.RemoteSelectors);

    /// <summary>Which lcore a child SA is for.</summary>
    /// <returns>False where all lcores have theirs (RFC 9611 §4: TS_MAX_QUEUE).</returns>
    private static bool TryChooseResource(
        IkeSa sa, IkeChild configuration, ChildSa? replaces, bool withInfo, IReadOnlyList<TrafficSelector> local, out int? resource)
    {
        resource = replaces?.Resource;
        if (replaces is not null)
            return true;
        if (withInfo)
        {
            // RFC 9611 §3: the first is for what has none of its own, and any lcore uses it.
            if (!sa.Children.Has(configuration, null))
                return true;
            for (int lcore = 0; lcore < sa.Connection!.Resources; lcore++)
            {
                if (sa.Children.Has(configuration, lcore))
                    continue;
                resource = lcore;
                return true;
            }
            return false;
        }
        // A peer that does not speak RFC 9611 but asks for an lcore's share only.
        for (int lcore = 0; lcore < configuration.ResourceSelectors.Count; lcore++)
        {
            if (SelectorSets.Covers(configuration.ResourceSelectors[lcore], local))
                resource = lcore;
        }
        return true;
    }

    private static AgreedChild? Refuse(List<IIkePayload> response, NotifyType error)
    {
        response.Add(new NotifyPayload(error));
        return null;
    }
}
