using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>Whole flights on the wire with random changes, records and all: an attacker between the two sides, who has no keys.</summary>
public sealed class FlightTests
{
    private const int Cases = 1_000;

    [Fact]
    public void Changed_flights_end_in_an_alert_or_in_waiting()
    {
        var random = new Random(5);
        for (int i = 0; i < Cases; i++)
        {
            int victim = random.Next(4), flights = 0;
            byte[] Spoil(byte[] bytes) => bytes.Length != 0 && flights++ == victim ? Mutations.Random(bytes, random) : bytes;
            using var pair = new TlsPair(SampleMessages.ClientOptions, SampleMessages.ServerOptions) { OnClientBytes = Spoil, OnServerBytes = Spoil };
            pair.Run();
            foreach ((TlsConnection side, TlsStatus status) in new[] { ((TlsConnection)pair.Client, pair.ClientStatus), (pair.Server, pair.ServerStatus) })
            {
                Assert.True(status is TlsStatus.NeedMoreData or TlsStatus.Failed or TlsStatus.Complete or TlsStatus.Closed, status.ToString());
                Assert.Equal(status == TlsStatus.Failed, side.Error != null);
                Assert.NotEqual(TlsErrorKind.LocalFailure, side.Error?.Kind);
            }
            // RFC 8446 §4.4.4: whoever completes does so with the same keys; nobody is talked into other ones.
            if (pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete)
            {
                Assert.Equal(pair.Client.NegotiatedCipherSuite, pair.Server.NegotiatedCipherSuite);
                Assert.Equal(pair.Client.NegotiatedGroup, pair.Server.NegotiatedGroup);
            }
        }
    }

    [Fact]
    public void Changed_data_is_refused_or_waited_for()
    {
        var random = new Random(6);
        byte[] data = new byte[500], wire = new byte[2048], plaintext = new byte[TlsConnection.MaxPlaintextSize];
        random.NextBytes(data);
        for (int i = 0; i < Cases / 5; i++)
        {
            using var pair = new TlsPair(SampleMessages.ClientOptions, SampleMessages.ServerOptions);
            pair.Run();
            Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
            int length = 0;
            foreach (int size in (int[])[100, 1, 399])
            {
                pair.Client.Write(data.AsSpan(0, size), wire.AsSpan(length), out _, out int written);
                length += written;
            }
            byte[] good = wire[..length], bad = Mutations.Random(good, random);
            int offset = 0, steps = 0;
            TlsStatus status;
            var got = new List<byte>();
            do
            {
                status = pair.Server.Read(bad.AsSpan(offset), plaintext, out int consumed, out int count);
                offset += consumed;
                got.AddRange(plaintext.AsSpan(0, count));
                Assert.True(++steps <= 10, "Reading does not come to an end.");
            }
            while (status == TlsStatus.Complete);
            // What came out is a beginning of what went in, whatever happened to the rest.
            byte[] sent = [.. data[..100], .. data[..1], .. data[..399]];
            Assert.Equal(sent[..got.Count], got);
            Assert.True(status is TlsStatus.Failed or TlsStatus.NeedMoreData);
        }
    }

    [Fact]
    [Trait("Process", "own")]
    public void Failed_handshakes_leave_no_memory_behind()
    {
        byte[] hello = SampleMessages.Get(HandshakeType.ClientHello);
        var random = new Random(7);
        Run(200);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Run(1_000);
        long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < 1_000_000, $"1000 refused ClientHellos left {growth} bytes behind.");

        void Run(int count)
        {
            for (int i = 0; i < count; i++)
            {
                using var server = new TlsServer(SampleMessages.ServerOptions);
                byte[] bad = Mutations.WithRightLength(Mutations.Random(hello, random));
                ScriptedPeer.Drive(server, [22, 3, 1, (byte)(bad.Length >> 8), (byte)bad.Length, .. bad], out _);
            }
        }
    }
}
