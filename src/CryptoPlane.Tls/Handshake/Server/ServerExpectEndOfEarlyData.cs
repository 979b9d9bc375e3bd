using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server takes early data, until the client says that there is no more: WAIT_EOED of RFC 8446 §A.2.</summary>
/// <param name="keys">The handshake's keys, which the next state owns.</param>
/// <param name="next">Comes behind it.</param>
internal sealed class ServerExpectEndOfEarlyData(HandshakeKeys keys, HandshakeState next) : HandshakeState
{
    public override bool TakesEarlyData => true;

    public override bool AwaitsFinished => true;

    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.EndOfEarlyData)
            return base.OnMessage(context, message);
        if ((EndOfEarlyDataMessage.Check(message.Body) ?? context.CheckKeyChangeBoundary()) is { } error)
            return error;
        context.Transcript.Append(message.Whole);
        context.ChangeReadKeys(keys.Client, TlsTrafficUse.ReadHandshake);
        context.Enter(next);
        return null;
    }

    public override void Dispose() => next.Dispose();
}
