using System.Buffers.Binary;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA by which the peer replaces the IKE SA (RFC 7296 §1.3.2, §2.18).</summary>
internal static class RekeyIkeResponder
{
    /// <summary>Answers a request, whose first proposal is for an IKE SA.</summary>
    public static void HandleRequest(IkeSa sa, IkePayloads request, SecurityAssociationPayload offer, byte[] peersNonce, List<IIkePayload> response, long now)
    {
        Exchange? outstanding = sa.Exchanges.Outstanding?.Exchange;
        // RFC 7296 §2.25.2: not while we make, rekey or delete a child SA; nor twice. RFC 9370 §2.2.4: nor when we have gone on with our own rekey.
        if (outstanding is CreateChildExchange or RekeyChildExchange or DeleteChildExchange or RekeyIkeExchange { Rival: not null }
            or RekeyIkeExchange { IsFollowingUp: true })
        {
            response.Add(new NotifyPayload(NotifyType.TemporaryFailure));
            return;
        }
        if (IkeProposals.Choose(sa.Connection!.Proposals, offer, isRekey: true) is not { } chosen)
        {
            response.Add(new NotifyPayload(NotifyType.NoProposalChosen));
            return;
        }
        KeyExchangeMethod method = chosen.Suite.KeyExchange;
        if (request.KeyExchange?.Method != (ushort)method)
        {
            response.Add(NotifyPayload.InvalidKePayload((ushort)method));
            return;
        }
        // A peer that asks anew has given up what it began.
        sa.FollowUps.Drop(pending => pending is PendingIkeSa);
        SecretBytes? secret = IkeKeyExchange.Respond(method, request.KeyExchange.PublicValue, out ReadOnlyMemory<byte> publicValue);
        if (secret is null)
        {
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            return;
        }
        byte[] nonce = Nonce.Create(sa.Host.Options.Randomness);
        ulong ours = sa.Host.NewSpi();
        byte[] spi = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(spi, ours);
        response.Add(chosen.Answer(spi));
        response.Add(new NoncePayload(nonce));
        response.Add(new KeyExchangePayload((ushort)method, publicValue.ToArray()));
        PendingIkeSa pending = new(chosen.Suite, secret, (chosen.Proposal.SpiValue, ours), (peersNonce, nonce));
        if (outstanding is RekeyIkeExchange rekeys)
            rekeys.Collide(null, pending.LowestNonce);
        CreateChildResponder.CompleteOrAwait(sa, pending, response, now);
    }
}
