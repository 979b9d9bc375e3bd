using System.Buffers.Binary;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>A child SA that we ask for, within IKE_AUTH or CREATE_CHILD_SA (RFC 7296 §1.2, §1.3.1), until the peer has answered.</summary>
internal sealed class ChildOffer
{
    private readonly IkeChild _configuration;
    private readonly ChildSa? _replaces;
    private readonly bool _isAuthExchange;
    private readonly IReadOnlyList<TrafficSelector> _local, _remote;
    private readonly int? _resource;
    private readonly bool _withResourceInfo;
    private uint _spi;

    /// <summary>A new child SA.</summary>
    /// <param name="request">Which one.</param>
    /// <param name="isAuthExchange">Whether the exchange is IKE_AUTH.</param>
    public ChildOffer(ChildRequest request, bool isAuthExchange)
    {
        _configuration = request.Configuration;
        _isAuthExchange = isAuthExchange;
        (_local, _remote) = (request.LocalSelectors, request.Configuration.RemoteSelectors);
        (_resource, _withResourceInfo) = (request.Resource, request.WithResourceInfo);
    }

    /// <summary>The replacement of a child SA: for the same traffic (RFC 7296 §2.9.2).</summary>
    public ChildOffer(ChildSa replaces)
    {
        _configuration = replaces.Configuration;
        _replaces = replaces;
        (_local, _remote) = (replaces.LocalSelectors, replaces.RemoteSelectors);
        (_resource, _withResourceInfo) = (replaces.Resource, replaces.HasResourceInfo);
    }

    /// <summary>The child SA that it will be.</summary>
    public ChildSaId Id => new(_spi);

    /// <summary>The key exchange to begin with; <see cref="KeyExchangeMethod.None"/>: none.</summary>
    public KeyExchangeMethod PreferredKeyExchange => _configuration.Proposals[0].KeyExchange;

    /// <summary>Takes an SPI for the inbound SA.</summary>
    /// <returns>False where there is none.</returns>
    public bool TryAllocate(IkeSa sa)
    {
        if (_spi == 0)
            _spi = sa.Host.Options.ChildSpis.Allocate(_resource ?? sa.Lease?.Grant.Resource ?? -1, _replaces?.Id.InboundSpi ?? 0);
        return _spi != 0;
    }

    /// <summary>Gives the SPI back: there is no child SA.</summary>
    public void Release(SessionHost host)
    {
        if (_spi != 0)
            host.Options.ChildSpis.Free(_spi);
        _spi = 0;
    }

    /// <summary>Whether a key exchange is among those that are offered.</summary>
    public bool Offers(ushort method) => _configuration.Proposals.Any(suite => (ushort)suite.KeyExchange == method && method != 0);

    /// <summary>Adds the offer to a request; nonce and key exchange, which only CREATE_CHILD_SA has, lie behind the proposals.</summary>
    public void Write(List<IIkePayload> request, byte[]? nonce, IkeKeyExchange? keyExchange)
    {
        if (_replaces is not null)
            request.Add(NotifyPayload.ForEsp(NotifyType.RekeySa, _replaces.Id.InboundSpi));
        if (_configuration.Mode == IkeChildMode.Transport)
            request.Add(new NotifyPayload(NotifyType.UseTransportMode));
        if (_withResourceInfo)
            request.Add(SaResourceInfo.Create(_resource ?? -1));
        byte[] spi = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(spi, _spi);
        request.Add(EspProposals.Offer(_configuration.Proposals, spi, _isAuthExchange));
        if (nonce is not null)
            request.Add(new NoncePayload(nonce));
        if (keyExchange is not null)
            request.Add(new KeyExchangePayload((ushort)keyExchange.Method, keyExchange.PublicValue.ToArray()));
        request.Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, _local));
        request.Add(new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, _remote));
    }

    /// <summary>Takes the peer's answer.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="response">The answer.</param>
    /// <param name="nonces">Ni and Nr of the exchange (of IKE_SA_INIT, in IKE_AUTH).</param>
    /// <param name="keyExchange">What the request had.</param>
    /// <param name="now">The time.</param>
    /// <param name="failure">What is wrong, for people; then the SPI was given back.</param>
    /// <returns>What was agreed on, for <see cref="Install"/>, or null.</returns>
    public AgreedChild? Accept(
        IkeSa sa, IkePayloads response, (byte[] Initiator, byte[] Responder) nonces, IkeKeyExchange? keyExchange, long now, out string failure)
    {
        AgreedChild? child = TryAccept(sa, response, nonces, keyExchange, now, out failure);
        if (child is null)
            Release(sa.Host);
        return child;
    }

    /// <summary>Installs what was agreed on, whose key exchanges are all made; it is not sent on yet.</summary>
    public ChildSa Install(IkeSa sa, AgreedChild agreed, IReadOnlyList<SecretBytes> further)
    {
        _spi = 0;
        return agreed.Install(sa, further);
    }

    private AgreedChild? TryAccept(
        IkeSa sa, IkePayloads response, (byte[] Initiator, byte[] Responder) nonces, IkeKeyExchange? keyExchange, long now, out string failure)
    {
        failure = "the peer's answer is incomplete";
        if (response is not { SecurityAssociation: { } answer, TrafficSelectorsInitiator: { } local, TrafficSelectorsResponder: { } remote })
            return null;
        failure = "the peer chose what was not offered";
        if (EspProposals.Accept(_configuration.Proposals, answer, _isAuthExchange) is not { } chosen)
            return null;
        failure = "the peer has deleted it already";
        if (sa.Exchanges.WasDeletedEarly((uint)chosen.Proposal.SpiValue))
            return null;
        failure = "the peer's traffic selectors go beyond those that were offered";
        if (local.Selectors.Count == 0 || remote.Selectors.Count == 0
            || !SelectorSets.Covers(_local, local.Selectors) || !SelectorSets.Covers(_remote, remote.Selectors))
            return null;
        failure = "the peer does not agree to transport mode, or wants it unasked";
        if (response.Find(NotifyType.UseTransportMode) is not null != (_configuration.Mode == IkeChildMode.Transport))
            return null;
        failure = "the peer's key exchange is not the one that was offered";
        SecretBytes? secret = null;
        if (chosen.Suite.KeyExchange != KeyExchangeMethod.None)
        {
            if (keyExchange is null || chosen.Suite.KeyExchange != keyExchange.Method || response.KeyExchange?.Method != (ushort)keyExchange.Method)
                return null;
            secret = keyExchange.Finish(response.KeyExchange.PublicValue);
            if (secret is null)
                return null;
        }
        failure = "";
        ChildSa child = new()
        {
            Id = new ChildSaId(_spi),
            OutboundSpi = (uint)chosen.Proposal.SpiValue,
            Configuration = _configuration,
            Suite = chosen.Suite,
            LocalSelectors = local.Selectors,
            RemoteSelectors = remote.Selectors,
            Resource = _resource,
            HasResourceInfo = _withResourceInfo && response.Find(NotifyType.SaResourceInfo) is not null,
            InstalledAt = now,
            Parent = sa,
            RekeyAt = sa.Host.RekeyTime(_configuration.Lifetime, now),
            ExpireAt = now + _configuration.Lifetime.ExpireAfter,
            Replaces = _replaces,
        };
        return new AgreedChild(child, secret, nonces, isInitiator: true);
    }
}
