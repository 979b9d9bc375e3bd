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
    private bool _isSuperseded;
    private Agreed? _agreed;
    private OwnFollowUp? _followUp;

    public override ExchangeType Type => IsFollowingUp ? ExchangeType.IkeFollowupKe : ExchangeType.CreateChildSa;

    /// <summary>Whether CREATE_CHILD_SA is answered, and goes on with further key exchanges (RFC 9370 §2.2.4).</summary>
    public bool IsFollowingUp => _followUp is not null;

    /// <summary>The IKE SA that the peer's own rekey has made before it answered us (RFC 7296 §2.8.2); null: none.</summary>
    public IkeSa? Rival { get; private set; }

    /// <summary>The peer has rekeyed the IKE SA at the same time.</summary>
    /// <param name="rival">What it has made; null: it has further key exchanges to make yet.</param>
    /// <param name="lowestNonce">The lower nonce of its exchange.</param>
    public void Collide(IkeSa? rival, byte[] lowestNonce) => (Rival, _rivalNonce) = (rival, lowestNonce);

    /// <summary>The peer's own rekey has taken the place: what ours still makes is redundant.</summary>
    public void Supersede() => _isSuperseded = true;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established)
        {
            Abandon(sa);
            return false;
        }
        if (_followUp is not null)
        {
            _followUp.Write(request);
            return true;
        }
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
        if (_followUp is { } followUp && response.FindError() is null)
        {
            if (!followUp.TryTake(response))
            {
                GiveUp(sa, "the peer's further key exchange is not the one that was agreed on", RefusedDelay, now);
            }
            else if (followUp.IsDone)
            {
                Make(sa, followUp.Secrets, now);
            }
            else
            {
                sa.Exchanges.EnqueueFirst(this);
                return;
            }
        }
        else if (_followUp is null && response is { SecurityAssociation: { } answer, Nonce: { } nonce, KeyExchange: { } key })
        {
            _agreed = TryAgree(sa, answer, nonce.Value, key);
            if (_agreed is null)
                GiveUp(sa, "the peer chose what was not offered", RefusedDelay, now);
            else if (_agreed.Suite.Additional.IsEmpty)
                Make(sa, [], now);
            else if (TryFollowUp(sa, _agreed, response, now))
                return;
        }
        else if (!_changedKeyExchange && _followUp is null && response.Find(NotifyType.InvalidKePayload) is { } invalid && invalid.TryGetKeyExchangeMethod(out ushort method)
            && sa.Connection!.Proposals.Any(suite => (ushort)suite.KeyExchange == method))
        {
            _changedKeyExchange = true;
            _keyExchange?.Dispose();
            _keyExchange = new IkeKeyExchange((KeyExchangeMethod)method);
            sa.Exchanges.EnqueueFirst(this);
            return;
        }
        else if (response.Find(NotifyType.TemporaryFailure) is not null || response.Find(NotifyType.StateNotFound) is not null)
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
        _agreed?.Secret.Dispose();
        _agreed = null;
        _followUp?.Dispose();
        _followUp = null;
    }

    private Agreed? TryAgree(IkeSa sa, SecurityAssociationPayload answer, byte[] nonce, KeyExchangePayload key)
    {
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Accept(sa.Connection!.Proposals, answer, isRekey: true);
        if (chosen is null || chosen.Suite.KeyExchange != _keyExchange!.Method || key.Method != (ushort)_keyExchange.Method
            || !Nonce.IsLongEnough(nonce, chosen.Suite.Prf))
            return null;
        return _keyExchange.Finish(key.PublicValue) is { } secret ? new Agreed(chosen.Suite, secret, nonce, chosen.Proposal.SpiValue) : null;
    }

    /// <summary>The peer agrees, and further key exchanges are to come.</summary>
    /// <returns>Whether the exchange goes on.</returns>
    private bool TryFollowUp(IkeSa sa, Agreed agreed, IkePayloads response, long now)
    {
        if (IsLost(agreed))
        {
            // RFC 7296 §2.8.2, RFC 9370 §2.2.4: what we began is redundant, and nobody has it yet. If the peer does not go on with its own either, we
            // begin again.
            GiveUp(sa, null, RefusedDelay, now);
            return false;
        }
        _followUp = OwnFollowUp.Begin(agreed.Suite.Additional, response);
        if (_followUp is null)
        {
            GiveUp(sa, "the peer leaves out the key exchanges that were agreed on", RefusedDelay, now);
            return false;
        }
        sa.FollowUps.Drop(pending => pending is PendingIkeSa);
        sa.Exchanges.EnqueueFirst(this);
        return true;
    }

    private bool IsLost(Agreed agreed) => _isSuperseded || (_rivalNonce.Length != 0 && Nonce.OursIsRedundant(Nonce.Lower(_nonce, agreed.Nonce), _rivalNonce));

    private void Make(IkeSa sa, IReadOnlyList<SecretBytes> further, long now)
    {
        Agreed agreed = _agreed!;
        IkeSa made = new(sa.Host, isInitiator: true, _spi, sa.Path, now) { RemoteSpi = agreed.Spi, Connection = sa.Connection };
        made.SetKeys(sa.Keys!.Rekey(agreed.Suite, agreed.Secret, _nonce, agreed.Nonce, made.LocalSpi, made.RemoteSpi, further));
        made.AwaitDecision(sa, now);
        sa.Host.Add(made);
        if (IsLost(agreed))
        {
            // RFC 7296 §2.8.2: we close what we made; the peer, whose IKE SA survives, closes the old one.
            GiveUp(sa, null, RefusedDelay, now);
            made.BeginDelete(IkeCloseReason.Rekeyed, now);
            return;
        }
        sa.ReplaceBy(made, peerHasIt: true, now);
        sa.BeginDelete(IkeCloseReason.Rekeyed, now);
    }

    private void GiveUp(IkeSa sa, string? reason, long delay, long now)
    {
        if (_isSuperseded)
            return;
        if (reason is not null)
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, null, reason));
        if (Rival is not null)
            sa.ReplaceBy(Rival, peerHasIt: false, now);
        else
            sa.RekeyAt = now + delay;
    }

    /// <summary>What the peer has agreed to.</summary>
    private sealed record Agreed(IkeSuite Suite, SecretBytes Secret, byte[] Nonce, ulong Spi);
}
