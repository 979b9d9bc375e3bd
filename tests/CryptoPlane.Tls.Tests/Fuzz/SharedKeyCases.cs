using System.Buffers;
using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// A server with keys from elsewhere (RFC 8446 §4.2.11), imported ones (RFC 9258) and tickets, and a client that has them and spoils what it offers:
/// identities, ages, binders, and whatever a right binder vouches for.
/// </summary>
internal static class SharedKeyCases
{
    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP256);
    private static readonly byte[] s_pin = SHA256.HashData(TestCertificates.EcdsaP256.PublicKey.ExportSubjectPublicKeyInfo());
    private static readonly byte[] s_secret = RandomNumberGenerator.GetBytes(32);
    private static readonly TlsTicketKeyRing s_ring = new(), s_otherRing = new();
    private static readonly TlsPreSharedKey s_stranger = new("stranger"u8, s_secret);
    private static readonly Lazy<TlsSession> s_session = new(TakeSession);

    /// <summary>What the servers have: for either hash one from elsewhere and an imported one.</summary>
    public static TlsPreSharedKey[] Keys { get; } =
    [
        new("external"u8, s_secret), TlsPreSharedKey.Import("external"u8, s_secret), new("external 384"u8, s_secret, HashAlgorithmName.SHA384),
        TlsPreSharedKey.Import("external"u8, s_secret, HashAlgorithmName.SHA384, "context"u8),
    ];

    private static readonly TlsServerOptions[] s_servers =
    [
        Server(null, TlsNamedGroup.X25519),
        Server(null, TlsNamedGroup.Secp256r1),
        Server(new TlsClientAuthentication(), TlsNamedGroup.X25519),
        new(new KeyTable(Keys)) { Groups = [TlsNamedGroup.X25519] },
    ];

    public static FuzzOutcome Run(Random random)
    {
        TlsServerOptions options = s_servers[random.Next(s_servers.Length)];
        TlsPreSharedKey[] keys = [.. Keys, s_stranger];
        random.Shuffle(keys);
        TlsSession? session = random.Next(2) == 0 ? s_session.Value : null;
        using var server = new TlsServer(options);
        using var client = new ScriptedClient(Client(session, keys[..random.Next(session == null ? 1 : 0, 4)]));
        var fuzzed = new FuzzedConnection(server, random);
        var peer = new PerturbedPeer(client, random, oneIn: random.Next(4, 40));

        bool ticketIsSpoilt = false;
        byte[] Hello(TlsNamedGroup group)
        {
            byte[] hello = client.Hello(group).ToMessage();
            ticketIsSpoilt = false;
            switch (random.Next(6))
            {
                case 0:
                    return MessageMutator.Mutate(hello, random);
                case 1:
                    // What a server believes once the binder is right.
                    return client.Rebind(MessageMutator.Mutate(hello, random));
                case 2 when session != null:
                    ticketIsSpoilt = true;
                    return client.Rebind(WithTicket(hello, SpoilTicket(TicketOf(hello), random)));
                case 3:
                    hello[^random.Next(1, 33)] ^= (byte)(1 << random.Next(8));
                    return hello;
                default:
                    return hello;
            }
        }

        client.Send(Hello(TlsNamedGroup.X25519));
        byte[] flight = fuzzed.Feed(client.Take());
        if (FuzzCases.IsRetry(flight, out TlsCipherSuite suite, out TlsNamedGroup asked)
            && FuzzCases.TryFollow(() => FuzzCases.FollowRetry(client, flight, suite)))
        {
            client.Send(Hello(asked));
            flight = fuzzed.Feed(client.Take());
        }
        if (ticketIsSpoilt && server.IsResumed)
            throw new FuzzFindingException("A ticket was taken that this server did not make.");
        if (fuzzed.Status == TlsStatus.Failed || !FuzzCases.TryFollow(() => client.TakeFlight(flight)))
            return FuzzCases.Finish(random, fuzzed, client, peer, mayComplete: false);
        if (client.Received.Any(message => message[0] == (byte)HandshakeType.CertificateRequest))
        {
            peer.Send(ScriptedClient.Certificate(s_credential));
            peer.Send(client.CertificateVerify(s_credential, TlsSignatureScheme.EcdsaSecp256r1Sha256));
        }
        bool mayComplete = peer.Send(client.Finished());
        client.Context.ChangeWriteKeys(client.Application.Client);
        return FuzzCases.Finish(random, fuzzed, client, peer, mayComplete);
    }

    /// <summary>A client that offers a session and keys.</summary>
    public static TlsClientOptions Client(TlsSession? session, params TlsPreSharedKey[] keys) => new(TestCertificates.ServerName)
    {
        Groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1],
        PinnedKeys = [s_pin],
        TrustPinnedKeysAlone = true,
        KeepSessions = true,
        Session = session,
        PreSharedKeys = keys,
    };

    /// <summary>Another ticket: one that was changed, cut, lengthened or sealed by others, or a right seal over what no server wrote.</summary>
    private static byte[] SpoilTicket(byte[] ticket, Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                return ticket[..random.Next(1, ticket.Length)];
            case 1:
                return [.. ticket, .. new byte[random.Next(1, 50)]];
            case 2:
                var sealedByOthers = new ArrayBufferWriter<byte>();
                s_otherRing.Protect(Open(ticket), sealedByOthers);
                return sealedByOthers.WrittenSpan.ToArray();
            case 3:
                // Its plaintext is the server's own, but for a byte of the secret or a length: the binder cannot be right, or the form is not.
                byte[] state = Open(ticket);
                if (random.Next(2) == 0)
                    state[19 + random.Next(32)] ^= (byte)(1 << random.Next(8));
                else
                    state = state[..random.Next(19 + 32)];
                var sealedAgain = new ArrayBufferWriter<byte>();
                s_ring.Protect(state, sealedAgain);
                return sealedAgain.WrittenSpan.ToArray();
            default:
                byte[] flipped = [.. ticket];
                flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
                return flipped;
        }
    }

    private static byte[] Open(byte[] ticket)
    {
        byte[] plaintext = new byte[ticket.Length];
        Assert.True(s_ring.TryUnprotect(ticket, plaintext, out int length));
        return plaintext[..length];
    }

    /// <summary>The first identity of a ClientHello.</summary>
    private static byte[] TicketOf(byte[] hello)
    {
        byte[] offers = HelloBytes.Parse(hello).Get(ExtensionType.PreSharedKey);
        return offers[4..(4 + ((offers[2] << 8) | offers[3]))];
    }

    private static byte[] WithTicket(byte[] hello, byte[] ticket)
    {
        HelloBytes parts = HelloBytes.Parse(hello);
        byte[] offers = parts.Get(ExtensionType.PreSharedKey);
        int list = (offers[0] << 8) | offers[1], first = (offers[2] << 8) | offers[3];
        list += ticket.Length - first;
        return parts.Set(
            ExtensionType.PreSharedKey,
            [(byte)(list >> 8), (byte)list, (byte)(ticket.Length >> 8), (byte)ticket.Length, .. ticket, .. offers.AsSpan(4 + first)]).ToMessage();
    }

    private static TlsServerOptions Server(TlsClientAuthentication? authentication, TlsNamedGroup group) => new(s_credential)
    {
        Groups = [group],
        TicketProtector = s_ring,
        PreSharedKeys = new KeyTable(Keys),
        ClientAuthentication = authentication,
    };

    private static TlsSession TakeSession()
    {
        using var pair = new TlsPair(Client(null), s_servers[0]);
        pair.Run();
        pair.ReadTickets();
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }
}
