using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>IKE_FOLLOWUP_KE as initiator (RFC 9370 §2.2.4), until all key exchanges of a CREATE_CHILD_SA that we began are made.</summary>
/// <param name="agreed">The key exchanges.</param>
/// <param name="link">What the responder wants to hear again, to know what it is about.</param>
internal sealed class OwnFollowUp(AdditionalKeyExchanges agreed, byte[] link) : IDisposable
{
    private readonly FollowUpRounds _rounds = new(agreed);
    private IkeKeyExchange? _keyExchange;
    private byte[] _link = link;

    /// <summary>Whether all are made.</summary>
    public bool IsDone => _rounds.Awaited == KeyExchangeMethod.None;

    /// <summary>SK(1) and those after it, in order.</summary>
    public IReadOnlyList<SecretBytes> Secrets => _rounds.Secrets;

    /// <summary>Begins where the answer to CREATE_CHILD_SA says that it goes on.</summary>
    /// <returns>Null where it does not, although there are key exchanges to make.</returns>
    public static OwnFollowUp? Begin(AdditionalKeyExchanges agreed, IkePayloads response) =>
        response.Find(NotifyType.AdditionalKeyExchange) is { } notify ? new OwnFollowUp(agreed, notify.Data) : null;

    /// <summary>Adds the next key exchange to a request.</summary>
    public void Write(List<IIkePayload> request)
    {
        _keyExchange = new IkeKeyExchange(_rounds.Awaited);
        request.Add(new KeyExchangePayload((ushort)_keyExchange.Method, _keyExchange.PublicValue.ToArray()));
        request.Add(new NotifyPayload(NotifyType.AdditionalKeyExchange, _link));
    }

    /// <summary>Takes the answer.</summary>
    /// <returns>False where it is none: of another method, with a value that is not one of it, or without the link to what comes next.</returns>
    public bool TryTake(IkePayloads response)
    {
        using IkeKeyExchange keyExchange = _keyExchange!;
        _keyExchange = null;
        if (response.KeyExchange is not { } key || key.Method != (ushort)keyExchange.Method || keyExchange.Finish(key.PublicValue) is not { } secret)
            return false;
        _rounds.Made(secret);
        if (IsDone)
            return true;
        if (response.Find(NotifyType.AdditionalKeyExchange) is not { } notify)
            return false;
        _link = notify.Data;
        return true;
    }

    /// <summary>Erases keys and secrets.</summary>
    public void Dispose()
    {
        _keyExchange?.Dispose();
        _keyExchange = null;
        _rounds.Dispose();
    }
}
