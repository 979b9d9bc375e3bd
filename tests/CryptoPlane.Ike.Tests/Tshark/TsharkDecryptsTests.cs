using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Tshark;

/// <summary>With the lines that an endpoint gives its key log, tshark decrypts a whole session.</summary>
public sealed class TsharkDecryptsTests
{
    [Theory]
    [InlineData(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256)]
    [InlineData(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384)]
    public void Tshark_decrypts_both_IKE_SAs_of_a_session(object cipher, object prf)
    {
        List<string> lines = [];
        IkeSuite suite = new((IkeCipher)cipher, (PrfAlgorithm)prf, KeyExchangeMethod.X25519);
        TestConnections.Settings settings = new() { Proposals = [suite], ForceEncapsulation = true, DeadPeerDelay = 5_000 };
        using TestNetwork network = TestConnections.Network(settings, options: options => new()
        {
            ChildSpis = options.ChildSpis,
            Connections = options.Connections,
            Randomness = options.Randomness,
            KeyLog = lines.Add,
        });
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(1_000);
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(7_000);
        network.AssertChildrenAgree();

        using IkeCapture capture = new();
        List<TestDatagram> messages = [.. network.Sent.Where(sent => !sent.Message.IsEmpty)];
        foreach (TestDatagram message in messages)
            capture.Add(message.Datagram.Local, message.Datagram.Remote, message.Datagram.Payload.Span);
        byte[] forged = messages[^1].Datagram.Payload.ToArray();
        forged[^1] ^= 1;
        capture.Add(messages[^1].Datagram.Local, messages[^1].Datagram.Remote, forged);
        string[] table = [.. lines.Distinct()];
        Assert.Equal(2, table.Length);
        string[][] read = capture.Read(
            ["isakmp.exchangetype", "isakmp.typepayload", "isakmp.enc.decrypted", "isakmp.id.data.fqdn", "_ws.expert.message"], table);

        Assert.Equal(messages.Count + 1, read.Length);
        // What tshark says of the others is worth something: it tells a forged message.
        Assert.Contains("Integrity Checksum Data is incorrect", read[^1][4], StringComparison.Ordinal);
        read = read[..^1];
        Assert.All(read, fields => Assert.Equal("", fields[4]));
        Assert.All(read, fields => Assert.Equal(fields[0] != "34", fields[2].Length != 0));
        Assert.Equal(["initiator.example,responder.example", "responder.example"], read.Select(fields => fields[3]).Where(ids => ids.Length != 0));
        string[] expected =
        [
            "34: 33,34,40,41,41,41,41", "34: 33,34,40,41,41,41,41",
            "35: 46,35,41,36,39,33,44,45", "35: 46,36,39,33,44,45",
            "36: 46,41,33,40,44,45", "36: 46,33,40,44,45", "37: 46,42", "37: 46,42",
            "36: 46,33,40,34", "36: 46,33,40,34", "37: 46,42", "37: 46",
            // Liveness, under the second IKE SA.
            "37: 46", "37: 46",
        ];
        Assert.Equal(expected, read.Select(fields => $"{fields[0]}: {string.Join(',', fields[1].Split(',').Where(type => type is not ("2" or "3")))}"));
    }
}
