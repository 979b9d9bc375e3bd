using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA for a further child SA (RFC 7296 §1.3.1).</summary>
internal sealed class CreateChildExchange(ChildRequest wanted) : Exchange
{
    private readonly ChildOffer _offer = new(wanted, isAuthExchange: false);
    private IkeKeyExchange? _keyExchange;
    private byte[] _nonce = [];
    private bool _changedKeyExchange;

    /// <summary>What it is to make.</summary>
    public ChildRequest Wanted { get; } = wanted;

    public override ExchangeType Type => ExchangeType.CreateChildSa;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        if (sa.State != IkeSaState.Established || sa.Children.Has(Wanted.Configuration, Wanted.Resource) || !_offer.TryAllocate(sa.Host))
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
                ChildLifecycle.Activate(child);
                sa.Host.OnChildMade(sa, now);
            }
            else
            {
                Fail(sa, Wanted.Configuration, id, failure);
                sa.Host.OnChildMissing(sa, now);
            }
            Abandon(sa);
            return;
        }
        if (KeyExchangeAsked(_offer, response, ref _keyExchange, ref _changedKeyExchange))
        {
            sa.Exchanges.EnqueueFirst(this);
            return;
        }
        Abandon(sa);
        NotifyType? error = response.FindError()?.NotifyType;
        // RFC 9611 §4: the peer has as many as it wants; what is there suffices.
        if (error == NotifyType.TsMaxQueue)
            sa.RefusedResources.Add(Wanted.Configuration);
        else if (error != NotifyType.TemporaryFailure)
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, Wanted.Configuration.Name, error?.ToString() ?? "the peer's answer is incomplete"));
        sa.Host.OnChildMissing(sa, now);
    }

    public override void Abandon(IkeSa sa)
    {
        _offer.Release(sa.Host);
        _keyExchange?.Dispose();
        _keyExchange = null;
    }

    /// <summary>The peer believes that there is a child SA, which we do not take: it is told to forget it.</summary>
    public static void Fail(IkeSa sa, IkeChild configuration, ChildSaId id, string failure)
    {
        sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, configuration.Name, failure));
        sa.Exchanges.Enqueue(new DeleteChildExchange(id));
    }

    /// <summary>Whether the peer asks for another of the key exchanges that were offered (RFC 7296 §1.3); it may do so once.</summary>
    public static bool KeyExchangeAsked(ChildOffer offer, IkePayloads response, ref IkeKeyExchange? keyExchange, ref bool changed)
    {
        if (changed || response.Find(NotifyType.InvalidKePayload) is not { } notify || !notify.TryGetKeyExchangeMethod(out ushort method) || !offer.Offers(method))
            return false;
        changed = true;
        keyExchange?.Dispose();
        keyExchange = new IkeKeyExchange((KeyExchangeMethod)method);
        return true;
    }
}
