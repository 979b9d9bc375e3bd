using System.Net;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// IKE_SA_INIT as responder (RFC 7296 §1.2): anybody may send such a request, so what it costs is bounded by who calls this.
/// </summary>
internal static class InitResponder
{
    /// <summary>More roots are not named to a stranger: the response, which cannot be fragmented, would become too long.</summary>
    private const int MaxRequestedRoots = 16;

    /// <summary>Answers a request that belongs to no IKE SA yet.</summary>
    /// <param name="host">The endpoint.</param>
    /// <param name="local">The address and port that it came to.</param>
    /// <param name="remote">Where it came from.</param>
    /// <param name="header">Its header.</param>
    /// <param name="message">The request.</param>
    /// <param name="now">The time.</param>
    /// <returns>The IKE SA that it began, which the caller makes known; null where it was refused or ignored.</returns>
    public static IkeSa? Handle(SessionHost host, IPEndPoint local, IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now)
    {
        if (!IkePayloads.Parse(header.NextPayload, message[IkeHeader.Size..], out IkePayloads payloads).IsOk
            || payloads is not { SecurityAssociation: { } offer, KeyExchange: { } key, Nonce: { } nonce })
            return null;
        PeerPath path = new(local, remote);
        IkeConnection[] candidates = [.. host.Connections.Where(connection => connection.MatchesAddresses(local.Address, remote.Address))];
        bool intermediate = PeerCapabilities.SpeaksIntermediate(payloads);
        ChosenProposal<IkeSuite>? chosen = candidates
            .Select(connection => IkeProposals.Choose([.. connection.Proposals.Where(suite => intermediate || suite.Additional.IsEmpty)], offer, isRekey: false))
            .FirstOrDefault(choice => choice is not null);
        if (chosen is null)
        {
            host.Emit(new PeerRefused(remote, null, candidates.Length == 0 ? "no connection has these addresses" : "no proposal is acceptable"));
            Refuse(host, path, header, new NotifyPayload(NotifyType.NoProposalChosen));
            return null;
        }
        // RFC 7296 §1.2: the initiator guessed the key exchange; it is told the right one, and nothing is kept.
        if (key.Method != (ushort)chosen.Suite.KeyExchange)
        {
            Refuse(host, path, header, NotifyPayload.InvalidKePayload((ushort)chosen.Suite.KeyExchange));
            return null;
        }
        if (!Nonce.IsLongEnough(nonce.Value, chosen.Suite.Prf))
            return null;
        using SecretBytes? secret = IkeKeyExchange.Respond(chosen.Suite.KeyExchange, key.PublicValue, out ReadOnlyMemory<byte> publicValue);
        if (secret is null)
            return null;

        candidates = [.. candidates.Where(connection => connection.Proposals.Contains(chosen.Suite))];
        bool force = candidates.Any(connection => connection.ForceEncapsulation);
        (bool supported, bool localNat, bool remoteNat) = NatDetection.Evaluate(header, payloads, local, remote);
        path = path with { LocalBehindNat = localNat || (supported && force), RemoteBehindNat = remoteNat };

        IkeSa sa = new(host, isInitiator: false, host.NewSpi(), path, now) { RemoteSpi = header.InitiatorSpi };
        byte[] ourNonce = Nonce.Create(host.Options.Randomness);
        sa.SetKeys(IkeKeys.Derive(chosen.Suite, secret, nonce.Value, ourNonce, sa.RemoteSpi, sa.LocalSpi));
        sa.Peer.ReadInit(payloads);
        sa.EnableFragments(candidates[0]);
        if (intermediate)
            sa.Intermediate = new IntermediatePhase(chosen.Suite.Additional);

        IkeHeader answer = new(sa.RemoteSpi, sa.LocalSpi, ExchangeType.IkeSaInit, IkeHeaderFlags.Response, 0);
        IkeWriter writer = new IkeWriter().Begin(answer)
            .Add(chosen.Answer([]))
            .Add(new KeyExchangePayload((ushort)chosen.Suite.KeyExchange, publicValue.ToArray()))
            .Add(new NoncePayload(ourNonce));
        if (supported)
        {
            foreach (NotifyPayload notify in NatDetection.Notifications(sa.RemoteSpi, sa.LocalSpi, local, remote, force ? host.RandomBytes(20) : null))
                writer.Add(notify);
        }
        foreach (NotifyPayload notify in PeerCapabilities.InitNotifications(candidates[0], intermediate))
            writer.Add(notify);
        X509Certificate2[] roots = [.. candidates.Select(c => c.RemoteAuthentication).OfType<IkeCertificateTrust>().SelectMany(trust => trust.Roots)];
        if (roots.Length is > 0 and <= MaxRequestedRoots)
            writer.Add(CertificatePayloads.Request(roots));
        byte[] response = writer.ToMessage();
        sa.Transcript = new InitTranscript(message.ToArray(), response, nonce.Value, ourNonce);
        sa.Authentication = new AuthResponder(candidates);
        sa.Intake.InitAnswered(response);
        host.Send(path, response);
        return sa;
    }

    private static void Refuse(SessionHost host, PeerPath path, in IkeHeader header, NotifyPayload notify)
    {
        // RFC 7296 §2.6: the responder's SPI is 0 where the responder keeps nothing.
        IkeHeader answer = new(header.InitiatorSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Response, 0);
        host.Send(path, new IkeWriter().Begin(answer).Add(notify).ToMessage());
    }
}
