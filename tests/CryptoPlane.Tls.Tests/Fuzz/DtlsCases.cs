using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Dtls;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// DTLS (RFC 6347): a client's datagrams, cookies, fragments and records, lost, doubled, turned round and changed, by somebody without keys; then
/// records of an association that came up, by one who has recorded them.
/// </summary>
internal static class DtlsCases
{
    private static readonly DtlsCipherSuite[] s_suites = Enum.GetValues<DtlsCipherSuite>().Where(suite => (ushort)suite != 0).ToArray();

    public static FuzzOutcome Run(Random random)
    {
        using var client = new DtlsTestClient
        {
            Suite = s_suites[random.Next(s_suites.Length)],
            OffersExtendedMasterSecret = random.Next(4) != 0,
            FragmentSize = random.Next(3) == 0 ? random.Next(1, 20) : 1000,
        };
        using var server = new DtlsTestServer();
        int oneIn = random.Next(2, 20);
        byte[] hello = client.Hello();
        Attack(server, [hello], random, oneIn);
        client.TakeCookie(server.Receive(hello)[0]);
        byte[] second = client.Hello();
        if (random.Next(2) == 0)
            Attack(server, [second], random, oneIn);
        // A hello that somebody has changed may have come before it: the cookie does not cover everything.
        List<byte[]> answer = server.Receive(second);
        if (server.Server == null || !FuzzCases.TryFollow(() => client.TakeServerHellos(answer)))
            return new FuzzOutcome("another association", $"another association {server.Server?.Error?.Message}");

        List<byte[]> flight = client.KeyExchangeFlight();
        Attack(server, flight, random, oneIn);
        foreach (byte[] datagram in flight)
            server.Receive(datagram);
        if (random.Next(4) == 0 && server.Server.NextDeadline != long.MaxValue)
            server.AdvanceToDeadline();
        if (!server.Server.IsComplete)
        {
            string error = server.Server.Error is { } reason ? $"{reason.Kind} {reason.Alert}" : "waits";
            return new FuzzOutcome(error, $"{error} {server.Server.Error?.Message} {server.Server.NegotiatedCipherSuite}");
        }
        server.Detach();
        int opened = Exchange(server, client, random);
        return new FuzzOutcome("complete", $"complete {server.Server.NegotiatedCipherSuite} {server.Server.UsesExtendedMasterSecret} {opened}");
    }

    /// <summary>Some of the datagrams in any order, most of them changed: whatever they are, they are dropped or answered.</summary>
    private static void Attack(DtlsTestServer server, IReadOnlyList<byte[]> datagrams, Random random, int oneIn)
    {
        for (int count = random.Next(8); count > 0; count--)
        {
            byte[] datagram = datagrams[random.Next(datagrams.Count)];
            byte[] bad = random.Next(oneIn) == 0 ? datagram : Change(datagram, random);
            // Several records may share a datagram.
            if (random.Next(5) == 0)
                bad = [.. bad, .. datagrams[random.Next(datagrams.Count)]];
            server.Receive(bad);
        }
    }

    /// <summary>A change to a field of the headers of record and handshake, to the body, or anywhere.</summary>
    private static byte[] Change(byte[] datagram, Random random)
    {
        byte[] changed = [.. datagram];
        int[] fields = [0, 1, 3, 5, 11, 13, 14, 17, 19, 22, 25];
        int at = random.Next(3) == 0 ? random.Next(changed.Length) : fields[random.Next(fields.Length)];
        switch (random.Next(5))
        {
            case 0 when at < changed.Length:
                changed[at] = (byte)random.Next(256);
                return changed;
            case 1 when at < changed.Length:
                changed[at] ^= (byte)(1 << random.Next(8));
                return changed;
            case 2:
                return changed[..random.Next(changed.Length)];
            default:
                return Malformed.Mutations.Random(datagram, random);
        }
    }

    /// <summary>Records in any order: each opens once, and what was changed never does.</summary>
    private static int Exchange(DtlsTestServer server, DtlsTestClient client, Random random)
    {
        List<(byte[] Record, byte[] Content, bool Seen)> sent = [];
        for (int count = random.Next(1, 12); count > 0; count--)
        {
            byte[] content = new byte[random.Next(200)];
            random.NextBytes(content);
            sent.Add((client.Seal(TlsContentType.ApplicationData, content), content, false));
        }
        int opened = 0;
        for (int count = random.Next(30); count > 0; count--)
        {
            int which = random.Next(sent.Count);
            (byte[] record, byte[] content, bool seen) = sent[which];
            byte[] arriving = random.Next(2) == 0 ? record : Change(record, random);
            bool isRight = arriving.AsSpan().SequenceEqual(record);
            (DtlsOpenStatus status, byte[] data) = server.Open(arriving);
            if (status != DtlsOpenStatus.Opened)
                continue;
            if (!isRight || seen || !data.AsSpan().SequenceEqual(content))
                throw new FuzzFindingException(isRight ? "A record was taken twice, or came out otherwise." : "A record was taken that nobody sealed.");
            sent[which] = (record, content, true);
            opened++;
        }
        return opened;
    }
}
