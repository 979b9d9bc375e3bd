using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA that replaces a child SA (RFC 7296 §1.3.3, §2.8); the old one is deleted afterwards.</summary>
internal sealed class RekeyChildExchange(ChildSa old) : Exchange
{
    /// <summary>When it is tried again after the peer could not (RFC 7296 §2.25), and after it would not; in milliseconds.</summary>
    private const long TemporaryDelay = 1_000, TemporaryJitter = 4_000, RefusedDelay = 30_000;

    private readonly ChildOffer _offer = new(old);
    private IkeKeyExchange? _keyExchange;
    private byte[] _nonce = [];
    private bool _changedKeyExchange;
    private ChildSa? _rival;
    private byte[] _rivalNonce = [];

    /// <summary>What is replaced.</summary>
    public ChildSa Old { get; } = old;

    public override ExchangeType Type => ExchangeType.CreateChildSa;

    /// <summary>The peer has rekeyed the same child SA before it answered us (RFC 7296 §2.8.1).</summary>
    /// <param name="rival">The child SA that its exchange made.</param>
    /// <param name="lowestNonce">The lower nonce of its exchange.</param>
    public void Collide(ChildSa rival, byte[] lowestNonce) => (_rival, _rivalNonce) = (rival, lowestNonce);

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established || !Old.MayBeRekeyed || !_offer.TryAllocate(sa.Host))
        {
            Abandon(sa);
            return false;
        }
        _nonce = Nonce.Create(sa.Host.Options.Randomness);
        if (_keyExchange is null && _offer.PreferredKeyExchange != KeyExchangeMethod.None)
            _keyExchange = new IkeKeyExchange(_offer.PreferredKeyExchange);
        _offer.Write(request, _nonce, _keyExchange);
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        if (response is { SecurityAssociation: not null, Nonce: { } nonce })
        {
            ChildSaId id = _offer.Id;
            if (_offer.Accept(sa, response, (_nonce, nonce.Value), _keyExchange, now, out string failure) is { } child)
            {
                Decide(sa, child, Nonce.Lower(_nonce, nonce.Value));
            }
            else
            {
                CreateChildExchange.Fail(sa, Old.Configuration, id, failure);
                TryAgain(RefusedDelay, now);
            }
        }
        else if (CreateChildExchange.KeyExchangeAsked(_offer, response, ref _keyExchange, ref _changedKeyExchange))
        {
            sa.Exchanges.EnqueueFirst(this);
            return;
        }
        else if (response.Find(NotifyType.ChildSaNotFound) is not null)
        {
            // RFC 7296 §2.25: the peer does not have it any more, so it is deleted without a word.
            ChildLifecycle.Remove(Old, now);
        }
        else if (response.Find(NotifyType.TemporaryFailure) is not null)
        {
            TryAgain(TemporaryDelay + sa.Host.RandomTime(TemporaryJitter), now);
        }
        else
        {
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, Old.Configuration.Name,
                $"the peer refuses to rekey {Old.Id}: {response.FindError()?.NotifyType.ToString() ?? "its answer is incomplete"}"));
            TryAgain(RefusedDelay, now);
        }
        Abandon(sa);
    }

    public override void Abandon(IkeSa sa)
    {
        _offer.Release(sa.Host);
        _keyExchange?.Dispose();
        _keyExchange = null;
    }

    private void Decide(IkeSa sa, ChildSa child, byte[] lowestNonce)
    {
        if (_rival is not null && Nonce.OursIsRedundant(lowestNonce, _rivalNonce))
        {
            // RFC 7296 §2.8.1: we close what we made; the peer, whose SA survives, closes the old one.
            child.RekeyAt = long.MaxValue;
            sa.Exchanges.Enqueue(new DeleteChildExchange(child));
            return;
        }
        Old.ReplacedBy = child;
        ChildLifecycle.Activate(child);
        if (Old.State is ChildSaState.Installed or ChildSaState.Active)
            sa.Exchanges.Enqueue(new DeleteChildExchange(Old));
    }

    private void TryAgain(long delay, long now)
    {
        if (Old.MayBeReplaced)
            Old.RekeyAt = now + delay;
    }
}
