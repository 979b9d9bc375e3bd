using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA that makes a child SA: what a further one and one that replaces another have in common (RFC 7296 §1.3.1, §1.3.3).</summary>
internal abstract class ChildExchange(ChildOffer offer) : Exchange
{
    private IkeKeyExchange? _keyExchange;
    private bool _changedKeyExchange;
    private AgreedChild? _agreed;
    private byte[] _theirNonce = [];
    private OwnFollowUp? _followUp;

    public sealed override ExchangeType Type => IsFollowingUp ? ExchangeType.IkeFollowupKe : ExchangeType.CreateChildSa;

    /// <summary>Whether CREATE_CHILD_SA is answered, and goes on with further key exchanges (RFC 9370 §2.2.4).</summary>
    public bool IsFollowingUp => _followUp is not null;

    /// <summary>Our nonce in the request.</summary>
    protected byte[] OurNonce { get; private set; } = [];

    public sealed override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established || !(IsFollowingUp ? MayGoOn : IsWanted(sa, now)) || !offer.TryAllocate(sa))
        {
            Abandon(sa);
            return false;
        }
        if (_followUp is not null)
        {
            _followUp.Write(request);
            return true;
        }
        OurNonce = Nonce.Create(sa.Host.Options.Randomness);
        if (_keyExchange is null && offer.PreferredKeyExchange != KeyExchangeMethod.None)
            _keyExchange = new IkeKeyExchange(offer.PreferredKeyExchange);
        offer.Write(request, OurNonce, _keyExchange);
        return true;
    }

    public sealed override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        if (_followUp is { } followUp && response.FindError() is null)
        {
            if (GoOn(sa, followUp, response, now))
                return;
        }
        else if (_followUp is null && response is { SecurityAssociation: not null, Nonce: { } nonce })
        {
            if (Agree(sa, response, nonce.Value, now))
                return;
        }
        else if (KeyExchangeAsked(response))
        {
            sa.Exchanges.EnqueueFirst(this);
            return;
        }
        else
        {
            HandleRefused(sa, response, now);
        }
        Abandon(sa);
    }

    public sealed override void Abandon(IkeSa sa)
    {
        offer.Release(sa.Host);
        _keyExchange?.Dispose();
        _keyExchange = null;
        _agreed?.Dispose();
        _agreed = null;
        _followUp?.Dispose();
        _followUp = null;
    }

    /// <summary>The peer believes that there is a child SA, which we do not take: it is told to forget it.</summary>
    public static void Disown(IkeSa sa, IkeChild configuration, ChildSaId id, string failure)
    {
        sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, configuration.Name, failure));
        sa.Exchanges.Enqueue(new DeleteChildExchange(id));
    }

    /// <summary>What the child SA is for.</summary>
    protected abstract IkeChild Configuration { get; }

    /// <summary>Whether, now that it is the exchange's turn, the child SA is still wanted.</summary>
    protected abstract bool IsWanted(IkeSa sa, long now);

    /// <summary>Whether, between key exchanges, there is still a use for it.</summary>
    protected virtual bool MayGoOn => true;

    /// <summary>The child SA is there.</summary>
    protected abstract void HandleMade(IkeSa sa, ChildSa child, byte[] theirNonce, long now);

    /// <summary>The peer's answer makes no child SA that we can take.</summary>
    protected abstract void HandleUnusable(IkeSa sa, long now);

    /// <summary>The peer does not make it.</summary>
    protected abstract void HandleRefused(IkeSa sa, IkePayloads response, long now);

    /// <summary>
    /// The peer agrees, and further key exchanges are to come: whether we go on with them. If not, the peer's own rekey, which has met ours, does.
    /// </summary>
    protected virtual bool MayFollowUp(IkeSa sa, byte[] theirNonce, long now) => true;

    /// <summary>The peer agrees.</summary>
    /// <returns>Whether the exchange goes on.</returns>
    private bool Agree(IkeSa sa, IkePayloads response, byte[] theirNonce, long now)
    {
        ChildSaId id = offer.Id;
        _theirNonce = theirNonce;
        _agreed = offer.Accept(sa, response, (OurNonce, theirNonce), _keyExchange, now, out string failure);
        if (_agreed is null)
        {
            Disown(sa, Configuration, id, failure);
            HandleUnusable(sa, now);
            return false;
        }
        AdditionalKeyExchanges further = _agreed.Child.Suite.Additional;
        if (further.IsEmpty)
        {
            HandleMade(sa, offer.Install(sa, _agreed, []), theirNonce, now);
            return false;
        }
        if (!MayFollowUp(sa, theirNonce, now))
            return false;
        _followUp = OwnFollowUp.Begin(further, response);
        if (_followUp is null)
        {
            Disown(sa, Configuration, id, "the peer leaves out the key exchanges that were agreed on");
            HandleUnusable(sa, now);
            return false;
        }
        sa.Exchanges.EnqueueFirst(this);
        return true;
    }

    /// <summary>A further key exchange is answered.</summary>
    /// <returns>Whether the exchange goes on.</returns>
    private bool GoOn(IkeSa sa, OwnFollowUp followUp, IkePayloads response, long now)
    {
        string failure = followUp.TryTake(response) ? "" : "the peer's further key exchange is not the one that was agreed on";
        if (failure.Length == 0 && !followUp.IsDone)
        {
            sa.Exchanges.EnqueueFirst(this);
            return true;
        }
        if (failure.Length == 0 && sa.Exchanges.WasDeletedEarly(_agreed!.Child.OutboundSpi))
            failure = "the peer has deleted it already";
        if (failure.Length == 0)
        {
            HandleMade(sa, offer.Install(sa, _agreed!, followUp.Secrets), _theirNonce, now);
            return false;
        }
        Disown(sa, Configuration, offer.Id, failure);
        HandleUnusable(sa, now);
        return false;
    }

    /// <summary>Whether the peer asks for another of the key exchanges that were offered (RFC 7296 §1.3); it may do so once.</summary>
    private bool KeyExchangeAsked(IkePayloads response)
    {
        if (_changedKeyExchange || IsFollowingUp || response.Find(NotifyType.InvalidKePayload) is not { } notify || !notify.TryGetKeyExchangeMethod(out ushort method)
            || !offer.Offers(method))
            return false;
        _changedKeyExchange = true;
        _keyExchange?.Dispose();
        _keyExchange = new IkeKeyExchange((KeyExchangeMethod)method);
        return true;
    }
}
