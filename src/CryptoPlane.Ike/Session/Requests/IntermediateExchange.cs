using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>IKE_INTERMEDIATE as initiator, with a further key exchange (RFC 9242, RFC 9370 §2.2.2).</summary>
internal sealed class IntermediateExchange(KeyExchangeMethod method) : Exchange
{
    private readonly IkeKeyExchange _keyExchange = new(method);

    public override ExchangeType Type => ExchangeType.IkeIntermediate;

    /// <summary>What comes after IKE_SA_INIT, or after another of these exchanges.</summary>
    public static Exchange Next(IkeSa sa) =>
        sa.Intermediate is { Awaited: not KeyExchangeMethod.None } phase ? new IntermediateExchange(phase.Awaited) : new AuthExchange();

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        request.Add(new KeyExchangePayload((ushort)method, _keyExchange.PublicValue.ToArray()));
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        using SecretBytes? secret = response.KeyExchange is { } key && key.Method == (ushort)method ? _keyExchange.Finish(key.PublicValue) : null;
        Abandon(sa);
        if (secret is null || response.FindError() is not null)
        {
            string reason = response.FindError() is { } error ? $"answers {error.NotifyType} to the key exchange {method}" : $"answers no key exchange {method}";
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, null, $"{sa.Path.Remote} {reason}"));
            sa.Close(IkeCloseReason.ProtocolError, now);
            return;
        }
        sa.Intermediate!.Made(sa.AdvancedKeys(secret));
        sa.AdvanceKeys(keepForRepeats: false);
        sa.Exchanges.Enqueue(Next(sa));
    }

    public override void Abandon(IkeSa sa) => _keyExchange.Dispose();
}
