using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA that makes a child SA: what a further one and one that replaces another have in common (RFC 7296 §1.3.1, §1.3.3).</summary>
internal abstract class ChildExchange(ChildOffer offer) : Exchange
{
    private IkeKeyExchange? _keyExchange;
    private bool _changedKeyExchange;

    public sealed override ExchangeType Type => ExchangeType.CreateChildSa;

    /// <summary>Our nonce in the request.</summary>
    protected byte[] OurNonce { get; private set; } = [];

    public sealed override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established || !IsWanted(sa) || !offer.TryAllocate(sa.Host))
        {
            Abandon(sa);
            return false;
        }
        OurNonce = Nonce.Create(sa.Host.Options.Randomness);
        if (_keyExchange is null && offer.PreferredKeyExchange != KeyExchangeMethod.None)
            _keyExchange = new IkeKeyExchange(offer.PreferredKeyExchange);
        offer.Write(request, OurNonce, _keyExchange);
        return true;
    }

    public sealed override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        if (response is { SecurityAssociation: not null, Nonce: { } nonce })
        {
            ChildSaId id = offer.Id;
            if (offer.Accept(sa, response, (OurNonce, nonce.Value), _keyExchange, now, out string failure) is { } child)
            {
                HandleMade(sa, child, nonce.Value, now);
            }
            else
            {
                Disown(sa, Configuration, id, failure);
                HandleUnusable(sa, now);
            }
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
    protected abstract bool IsWanted(IkeSa sa);

    /// <summary>The child SA is there.</summary>
    protected abstract void HandleMade(IkeSa sa, ChildSa child, byte[] theirNonce, long now);

    /// <summary>The peer's answer makes no child SA that we can take.</summary>
    protected abstract void HandleUnusable(IkeSa sa, long now);

    /// <summary>The peer does not make it.</summary>
    protected abstract void HandleRefused(IkeSa sa, IkePayloads response, long now);

    /// <summary>Whether the peer asks for another of the key exchanges that were offered (RFC 7296 §1.3); it may do so once.</summary>
    private bool KeyExchangeAsked(IkePayloads response)
    {
        if (_changedKeyExchange || response.Find(NotifyType.InvalidKePayload) is not { } notify || !notify.TryGetKeyExchangeMethod(out ushort method)
            || !offer.Offers(method))
            return false;
        _changedKeyExchange = true;
        _keyExchange?.Dispose();
        _keyExchange = new IkeKeyExchange((KeyExchangeMethod)method);
        return true;
    }
}
