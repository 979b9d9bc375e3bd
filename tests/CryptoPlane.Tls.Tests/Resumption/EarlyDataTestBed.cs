using System.Net.Security;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>A server that accepts early data, a client that sends it, and a clock that both have.</summary>
internal sealed class EarlyDataTestBed
{
    public const int MaxSize = 50_000;

    private readonly TlsTicketKeyRing _ring = new();

    public EarlyDataTestBed()
    {
        Guard = new TlsReplayGuard(clock: Clock);
        Clock.Advance(TimeSpan.FromMinutes(1));
    }

    public ManualClock Clock { get; } = new();

    public TlsReplayGuard Guard { get; }

    public TlsServerOptions Server(
        TlsCipherSuite suite = TlsCipherSuite.Aes128GcmSha256, ITlsReplayGuard? guard = null, int maxSize = MaxSize, bool accepts = true, SslApplicationProtocol protocol = default,
        int recordSizeLimit = TlsConnection.MaxPlaintextSize + 1) =>
        new(new TlsCredential(TestCertificates.EcdsaP256))
        {
            CipherSuites = [suite],
            Groups = [TlsNamedGroup.X25519],
            TicketProtector = _ring,
            TimeProvider = Clock,
            RecordSizeLimit = recordSizeLimit,
            ApplicationProtocols = protocol == default ? [] : [protocol],
            DangerousAcceptEarlyData = accepts ? new TlsEarlyDataPolicy(maxSize, guard ?? Guard) : null,
        };

    public TlsClientOptions Client(TlsSession? session = null, bool sends = true, bool retry = false, TimeProvider? clock = null, params SslApplicationProtocol[] protocols) =>
        new(TestCertificates.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            KeepSessions = true,
            Session = session,
            DangerousSendEarlyData = sends,
            Groups = retry ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519],
            KeyShareGroups = [retry ? TlsNamedGroup.Secp384r1 : TlsNamedGroup.X25519],
            TimeProvider = clock ?? Clock,
            ApplicationProtocols = protocols,
        };

    /// <summary>A whole handshake, and a session of it.</summary>
    public TlsSession Take(TlsServerOptions server, TimeProvider? clock = null, params SslApplicationProtocol[] protocols)
    {
        using var pair = new TlsPair(Client(clock: clock, protocols: protocols), server);
        pair.Run();
        Assert.Null(pair.Client.Error);
        Assert.Equal(TlsEarlyDataStatus.None, pair.Client.EarlyDataStatus);
        Assert.Equal(TlsEarlyDataStatus.None, pair.Server.EarlyDataStatus);
        pair.ReadTickets();
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }

    /// <summary>Resumes with some early data, and asserts that both sides come up and say what is expected.</summary>
    public void Resume(TlsClientOptions client, TlsServerOptions server, TlsEarlyDataStatus expected, bool resumed = true)
    {
        byte[] early = "early data"u8.ToArray();
        using var pair = new TlsPair(client, server) { EarlyDataToSend = early };
        pair.Run();
        Assert.Null(pair.Client.Error);
        Assert.Null(pair.Server.Error);
        Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete);
        Assert.Equal(expected, pair.Client.EarlyDataStatus);
        Assert.Equal(expected, pair.Server.EarlyDataStatus);
        Assert.Equal(resumed, pair.Server.IsResumed);
        Assert.False(pair.Client.CanWriteEarlyData);
        Assert.Equal(expected == TlsEarlyDataStatus.Accepted ? early : [], pair.EarlyData);
        pair.ReadTickets();
        // What was rejected the application sends again, and nobody else.
        Assert.Equal(early, TlsPair.Send(pair.Client, pair.Server, early));
        Assert.Equal([1], TlsPair.Send(pair.Server, pair.Client, [1]));
    }
}
