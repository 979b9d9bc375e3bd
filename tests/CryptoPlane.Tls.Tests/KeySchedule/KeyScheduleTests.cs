using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Tests.KeySchedule;

/// <summary>The schedule against RFC 8448 §3, and the rules of its chain of types.</summary>
public sealed class KeyScheduleTests
{
    private static readonly CipherSuiteParameters s_suite = CipherSuiteParameters.Of(TlsCipherSuite.Aes128GcmSha256);

    private static HandshakeSecret HandshakeSecretOfTrace() =>
        EarlySecret.WithoutPreSharedKey(TlsHash.Sha256).ToHandshakeSecret(Rfc8448Trace.SharedSecret);

    [Fact]
    public void The_traffic_secrets_are_those_of_RFC_8448()
    {
        using HandshakeSecret handshake = HandshakeSecretOfTrace();
        using TrafficSecret client = handshake.DeriveClientTraffic(Rfc8448Trace.HashToServerHello);
        using TrafficSecret server = handshake.DeriveServerTraffic(Rfc8448Trace.HashToServerHello);
        Assert.Equal(Rfc8448Trace.ClientHandshakeTraffic, client.Value);
        Assert.Equal(Rfc8448Trace.ServerHandshakeTraffic, server.Value);

        using MasterSecret master = handshake.ToMasterSecret();
        using TrafficSecret clientData = master.DeriveClientTraffic(Rfc8448Trace.HashToServerFinished);
        using TrafficSecret serverData = master.DeriveServerTraffic(Rfc8448Trace.HashToServerFinished);
        Assert.Equal(Rfc8448Trace.ClientApplicationTraffic, clientData.Value);
        Assert.Equal(Rfc8448Trace.ServerApplicationTraffic, serverData.Value);
    }

    [Fact]
    public void The_record_keys_are_those_of_RFC_8448()
    {
        AssertKeys(Rfc8448Trace.ClientHandshakeTraffic, Rfc8448Trace.ClientHandshakeKey, Rfc8448Trace.ClientHandshakeIv);
        AssertKeys(Rfc8448Trace.ServerHandshakeTraffic, Rfc8448Trace.ServerHandshakeKey, Rfc8448Trace.ServerHandshakeIv);
        AssertKeys(Rfc8448Trace.ClientApplicationTraffic, Rfc8448Trace.ClientApplicationKey, Rfc8448Trace.ClientApplicationIv);
        AssertKeys(Rfc8448Trace.ServerApplicationTraffic, Rfc8448Trace.ServerApplicationKey, Rfc8448Trace.ServerApplicationIv);
    }

    [Fact]
    public void The_Finished_messages_are_those_of_RFC_8448()
    {
        using HandshakeSecret handshake = HandshakeSecretOfTrace();
        using var transcript = new TranscriptHash();
        transcript.Select(TlsHash.Sha256);
        transcript.Append(Rfc8448Trace.ClientHello);
        transcript.Append(Rfc8448Trace.ServerHello);
        Span<byte> buffer = stackalloc byte[TlsHashes.MaxLength];
        using TrafficSecret client = handshake.DeriveClientTraffic(transcript.Snapshot(buffer));
        using TrafficSecret server = handshake.DeriveServerTraffic(transcript.Snapshot(buffer));

        transcript.Append(Rfc8448Trace.ServerFlightBeforeFinished);
        Assert.True(server.VerifyFinished(transcript.Snapshot(buffer), Rfc8448Trace.ServerFinished.AsSpan(4)));
        transcript.Append(Rfc8448Trace.ServerFinished);
        Assert.Equal(Rfc8448Trace.HashToServerFinished, transcript.Snapshot(buffer));

        byte[] verifyData = new byte[32];
        client.ComputeFinished(transcript.Snapshot(buffer), verifyData);
        Assert.Equal(Rfc8448Trace.ClientFinished[4..], verifyData);
    }

    [Fact]
    public void A_Finished_that_is_wrong_in_any_bit_or_length_is_refused()
    {
        using HandshakeSecret handshake = HandshakeSecretOfTrace();
        using TrafficSecret server = handshake.DeriveServerTraffic(Rfc8448Trace.HashToServerHello);
        byte[] verifyData = new byte[32];
        server.ComputeFinished(Rfc8448Trace.HashToServerFinished, verifyData);
        Assert.True(server.VerifyFinished(Rfc8448Trace.HashToServerFinished, verifyData));
        for (int bit = 0; bit < verifyData.Length * 8; bit++)
        {
            verifyData[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(server.VerifyFinished(Rfc8448Trace.HashToServerFinished, verifyData));
            verifyData[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        for (int length = 0; length < verifyData.Length; length++)
            Assert.False(server.VerifyFinished(Rfc8448Trace.HashToServerFinished, verifyData.AsSpan(0, length)));
        Assert.False(server.VerifyFinished(Rfc8448Trace.HashToServerFinished, [.. verifyData, 0]));
    }

    [Fact]
    public void A_secret_that_gave_way_to_the_next_cannot_be_used()
    {
        EarlySecret early = EarlySecret.WithoutPreSharedKey(TlsHash.Sha384);
        HandshakeSecret handshake = early.ToHandshakeSecret(Rfc8448Trace.SharedSecret);
        Assert.Throws<ObjectDisposedException>(() => early.ToHandshakeSecret(Rfc8448Trace.SharedSecret));
        using MasterSecret master = handshake.ToMasterSecret();
        Assert.Throws<ObjectDisposedException>(() => handshake.DeriveClientTraffic(new byte[48]));
        Assert.Throws<ObjectDisposedException>(() => handshake.ToMasterSecret());
        using TrafficSecret traffic = master.DeriveClientTraffic(new byte[48]);
        Assert.Equal(48, traffic.Value.Length);
    }

    [Fact]
    public void An_exporter_depends_on_label_context_and_session()
    {
        using ExporterSecret exporter = Exporter(Rfc8448Trace.HashToServerFinished);
        using ExporterSecret other = Exporter(Rfc8448Trace.HashToServerHello);
        byte[] first = Export(exporter, "EXPORTER-a", ""), again = Export(exporter, "EXPORTER-a", "");
        Assert.Equal(first, again);
        Assert.NotEqual(first, Export(exporter, "EXPORTER-b", ""));
        Assert.NotEqual(first, Export(exporter, "EXPORTER-a", "context"));
        Assert.NotEqual(first, Export(other, "EXPORTER-a", ""));

        static ExporterSecret Exporter(byte[] transcriptHash)
        {
            using MasterSecret master = HandshakeSecretOfTrace().ToMasterSecret();
            return master.DeriveExporter(transcriptHash);
        }

        static byte[] Export(ExporterSecret exporter, string label, string context)
        {
            byte[] output = new byte[77];
            exporter.Export(System.Text.Encoding.ASCII.GetBytes(label), System.Text.Encoding.ASCII.GetBytes(context), output);
            return output;
        }
    }

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, 16, 32)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, 32, 48)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, 32, 32)]
    public void Suites_have_their_sizes(TlsCipherSuite suite, int keyLength, int hashLength)
    {
        Assert.True(CipherSuiteParameters.TryGet(suite, out CipherSuiteParameters parameters));
        Assert.Equal(keyLength, parameters.KeyLength);
        Assert.Equal(hashLength, parameters.Hash.Length());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0x1304)]
    [InlineData(0xc02f)]
    public void Suites_that_CryptoPlane_does_not_have_are_not_found(int wireValue) =>
        Assert.False(CipherSuiteParameters.TryGet((TlsCipherSuite)wireValue, out _));

    private static void AssertKeys(byte[] secret, byte[] expectedKey, byte[] expectedIv)
    {
        byte[] key = new byte[16], iv = new byte[12];
        TrafficKeys.Derive(s_suite, secret, key, iv);
        Assert.Equal(expectedKey, key);
        Assert.Equal(expectedIv, iv);
    }
}
