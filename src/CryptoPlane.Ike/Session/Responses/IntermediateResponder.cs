using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// IKE_INTERMEDIATE as responder (RFC 9242): the further key exchanges that were agreed on (RFC 9370 §2.2.2). The peer is past the gate and has made
/// the first key exchange, but nobody knows who it is.
/// </summary>
internal static class IntermediateResponder
{
    /// <summary>Answers a request.</summary>
    public static void HandleRequest(IkeSa sa, IntermediatePhase phase, IkePayloads request, List<IIkePayload> response)
    {
        if (!phase.MayGoOn || sa.Authentication is not { HasBegun: false })
        {
            Refuse(sa, "it does not come to an end with IKE_INTERMEDIATE", response);
            return;
        }
        // An exchange may be for something that we do not know of, whose payloads are not critical: it is answered, and AUTH covers it.
        if (request.KeyExchange is not { } key)
        {
            if (request.FindError() is { } error)
                Refuse(sa, $"it reports {error.NotifyType} in IKE_INTERMEDIATE", response);
            return;
        }
        KeyExchangeMethod method = phase.Awaited;
        if (method == KeyExchangeMethod.None || key.Method != (ushort)method)
        {
            Refuse(sa, $"its key exchange {key.Method} is not the one that was agreed on", response);
            return;
        }
        using SecretBytes? secret = IkeKeyExchange.Respond(method, key.PublicValue, out ReadOnlyMemory<byte> publicValue);
        if (secret is null)
        {
            Refuse(sa, $"its value is not one of {method}", response);
            return;
        }
        phase.Made(sa.AdvancedKeys(secret));
        response.Add(new KeyExchangePayload((ushort)method, publicValue.ToArray()));
    }

    /// <summary>Says no, and ends the IKE SA.</summary>
    public static void Refuse(IkeSa sa, string reason, List<IIkePayload> response)
    {
        response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
        sa.Host.Emit(new PeerRefused(sa.Path.Remote, null, reason));
        sa.Intake.CloseAfterResponse(IkeCloseReason.ProtocolError);
    }
}
