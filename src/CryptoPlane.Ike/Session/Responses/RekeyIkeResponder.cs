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
        // RFC 7296 §2.25.2: not while we make, rekey or delete a child SA; nor twice.
        if (outstanding is CreateChildExchange or RekeyChildExchange or DeleteChildExchange or RekeyIkeExchange { Rival: not null })
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
        using SecretBytes? secret = IkeKeyExchange.Respond(method, request.KeyExchange.PublicValue, out ReadOnlyMemory<byte> publicValue);
        if (secret is null)
        {
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            return;
        }
        byte[] nonce = Nonce.Create(sa.Host.Options.Randomness);
        IkeSa made = new(sa.Host, isInitiator: false, sa.Host.NewSpi(), sa.Path, now) { RemoteSpi = chosen.Proposal.SpiValue, Connection = sa.Connection };
        made.SetKeys(sa.Keys!.Rekey(chosen.Suite, secret, peersNonce, nonce, made.RemoteSpi, made.LocalSpi));
        made.AwaitDecision(now);
        sa.Host.Add(made);
        byte[] spi = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(spi, made.LocalSpi);
        response.Add(chosen.Answer(spi));
        response.Add(new NoncePayload(nonce));
        response.Add(new KeyExchangePayload((ushort)method, publicValue.ToArray()));

        // RFC 7296 §2.8.2: if we have asked for the same, the nonces decide when our answer comes.
        if (outstanding is RekeyIkeExchange ours)
            ours.Collide(made, Nonce.Lower(peersNonce, nonce));
        else
            sa.ReplaceBy(made, now);
    }
}
