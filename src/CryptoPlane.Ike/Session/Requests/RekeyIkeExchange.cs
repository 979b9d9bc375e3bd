using System.Buffers.Binary;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA that replaces the IKE SA itself (RFC 7296 §1.3.2, §2.18); the old one is deleted afterwards.</summary>
internal sealed class RekeyIkeExchange : Exchange
{
    /// <summary>When it is tried again after the peer could not (RFC 7296 §2.25), and after it would not; in milliseconds.</summary>
    private const long TemporaryDelay = 1_000, TemporaryJitter = 4_000, RefusedDelay = 30_000;

    private IkeKeyExchange? _keyExchange;
    private byte[] _nonce = [];
    private ulong _spi;
    private bool _changedKeyExchange;
    private byte[] _rivalNonce = [];

    public override ExchangeType Type => ExchangeType.CreateChildSa;

    /// <summary>The IKE SA that the peer's own rekey has made before it answered us (RFC 7296 §2.8.2); null: none.</summary>
    public IkeSa? Rival { get; private set; }

    /// <summary>The peer has rekeyed the IKE SA at the same time.</summary>
    public void Collide(IkeSa rival, byte[] lowestNonce) => (Rival, _rivalNonce) = (rival, lowestNonce);

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established)
            return false;
        _nonce = Nonce.Create(sa.Host.Options.Randomness);
        _spi = sa.Host.NewSpi();
        _keyExchange ??= new IkeKeyExchange(sa.Keys!.Suite.KeyExchange);
        byte[] spi = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(spi, _spi);
        request.Add(IkeProposals.Offer(sa.Connection!.Proposals, spi));
        request.Add(new NoncePayload(_nonce));
        request.Add(new KeyExchangePayload((ushort)_keyExchange.Method, _keyExchange.PublicValue.ToArray()));
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        if (response is { SecurityAssociation: { } answer, Nonce: { } nonce, KeyExchange: { } key })
        {
            if (TryMake(sa, answer, nonce.Value, key, now) is { } made)
                Decide(sa, made, Nonce.Lower(_nonce, nonce.Value), now);
            else
                GiveUp(sa, "the peer chose what was not offered", RefusedDelay, now);
        }
        else if (!_changedKeyExchange && response.Find(NotifyType.InvalidKePayload) is { } invalid && invalid.TryGetKeyExchangeMethod(out ushort method)
            && sa.Connection!.Proposals.Any(suite => (ushort)suite.KeyExchange == method))
        {
            _changedKeyExchange = true;
            _keyExchange?.Dispose();
            _keyExchange = new IkeKeyExchange((KeyExchangeMethod)method);
            sa.Exchanges.EnqueueFirst(this);
            return;
        }
        else if (response.Find(NotifyType.TemporaryFailure) is not null)
        {
            GiveUp(sa, null, TemporaryDelay + sa.Host.RandomTime(TemporaryJitter), now);
        }
        else
        {
            string reason = response.FindError()?.NotifyType.ToString() ?? "its answer is incomplete";
            GiveUp(sa, $"the peer refuses to rekey the IKE SA: {reason}", RefusedDelay, now);
        }
        Abandon(sa);
    }

    public override void Abandon(IkeSa sa)
    {
        _keyExchange?.Dispose();
        _keyExchange = null;
    }

    private IkeSa? TryMake(IkeSa sa, SecurityAssociationPayload answer, byte[] nonce, KeyExchangePayload key, long now)
    {
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Accept(sa.Connection!.Proposals, answer, isRekey: true);
        if (chosen is null || chosen.Suite.KeyExchange != _keyExchange!.Method || key.Method != (ushort)_keyExchange.Method
            || !Nonce.IsLongEnough(nonce, chosen.Suite.Prf))
            return null;
        using SecretBytes? secret = _keyExchange.Finish(key.PublicValue);
        if (secret is null)
            return null;
        IkeSa made = new(sa.Host, isInitiator: true, _spi, sa.Path, now) { RemoteSpi = chosen.Proposal.SpiValue, Connection = sa.Connection };
        made.SetKeys(sa.Keys!.Rekey(chosen.Suite, secret, _nonce, nonce, made.LocalSpi, made.RemoteSpi));
        made.AwaitDecision(now);
        sa.Host.Add(made);
        return made;
    }

    private void Decide(IkeSa sa, IkeSa made, byte[] lowestNonce, long now)
    {
        if (Rival is not null && Nonce.OursIsRedundant(lowestNonce, _rivalNonce))
        {
            // RFC 7296 §2.8.2: we close what we made; the peer, whose IKE SA survives, closes the old one.
            sa.ReplaceBy(Rival, now);
            made.BeginDelete(IkeCloseReason.Rekeyed, now);
            return;
        }
        sa.ReplaceBy(made, now);
        sa.BeginDelete(IkeCloseReason.Rekeyed, now);
    }

    private void GiveUp(IkeSa sa, string? reason, long delay, long now)
    {
        if (reason is not null)
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, null, reason));
        if (Rival is not null)
            sa.ReplaceBy(Rival, now);
        else
            sa.RekeyAt = now + delay;
    }
}
