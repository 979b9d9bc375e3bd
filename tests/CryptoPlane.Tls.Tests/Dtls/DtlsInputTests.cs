using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Tests.Malformed;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>Spoiled datagrams: nothing throws, and a client whose datagrams come through as well still gets its association.</summary>
public sealed class DtlsInputTests
{
    private const int RandomRounds = 2000;

    [Fact]
    public void Spoiled_hellos_are_dropped_or_get_a_cookie()
    {
        using var client = new DtlsTestClient();
        using var server = new DtlsTestServer();
        byte[] hello = client.Hello();
        client.TakeCookie(server.Receive(hello)[0]);
        byte[] withCookie = client.Hello();
        byte[] answer = new byte[DtlsHelloGate.AnswerSize];
        int accepted = 0;
        foreach (byte[] bad in Spoiled(hello).Concat(Spoiled(withCookie)))
        {
            DtlsHelloStatus status = server.Gate.Check(bad, [127, 0, 0, 1, 0x12, 0x34], server.Now, answer, out DtlsClientHello? parsed);
            Assert.Equal(status == DtlsHelloStatus.Accepted, parsed != null);
            if (parsed == null)
                continue;
            // The cookie does not cover extensions and numbers; whatever they are, they are answered or refused in order.
            accepted++;
            using var association = new DtlsServer(server.Options, parsed, DtlsTestClient.Psk, server.Now);
            Assert.False(association.IsComplete);
        }
        Assert.InRange(accepted, 1, 100_000);
    }

    [Fact]
    public void Spoiled_flights_harm_nobody()
    {
        using var client = new DtlsTestClient();
        using var server = new DtlsTestServer();
        List<byte[]> flight = DtlsHandshakeTests.UpToKeyExchange(server, client);
        // Early ones find no keys; the later ones find keys, and a Finished that is awaited.
        byte[] finished = flight[2];
        foreach (byte[] bad in flight.SelectMany(Spoiled).Where(bad => !Contains(bad, flight[0])))
            server.Receive(bad);
        server.Receive(flight[0]);
        foreach (byte[] bad in flight.SelectMany(Spoiled).Where(bad => !Contains(bad, finished)))
            server.Receive(bad);
        Assert.Null(server.Server!.Error);
        if (!server.Server.IsComplete)
            server.Receive(finished);
        Assert.True(server.Server.IsComplete);
    }

    private static bool Contains(byte[] datagram, byte[] message) => datagram.AsSpan().IndexOf(message.AsSpan(13)) >= 0;

    private static IEnumerable<byte[]> Spoiled(byte[] good)
    {
        var random = new Random(4711);
        return Mutations.Truncations(good).Concat(Mutations.LengthFields(good))
            .Concat(Enumerable.Range(0, RandomRounds).Select(_ => Mutations.Random(good, random)));
    }
}
