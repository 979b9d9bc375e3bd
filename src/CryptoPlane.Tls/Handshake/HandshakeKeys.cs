using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The secrets between ServerHello and Finished (RFC 8446 §7.1). Owned by one state after the other.</summary>
internal sealed class HandshakeKeys : IDisposable
{
    private readonly HandshakeSecret _secret;

    private HandshakeKeys(HandshakeSecret secret, ReadOnlySpan<byte> transcriptHash)
    {
        _secret = secret;
        Client = secret.DeriveClientTraffic(transcriptHash);
        Server = secret.DeriveServerTraffic(transcriptHash);
    }

    /// <summary>client_handshake_traffic_secret.</summary>
    public TrafficSecret Client { get; }

    /// <summary>server_handshake_traffic_secret.</summary>
    public TrafficSecret Server { get; }

    /// <summary>Derives them.</summary>
    /// <param name="context">Its transcript ends with the ServerHello.</param>
    /// <param name="sharedSecret">Of the key agreement; the caller erases it.</param>
    public static HandshakeKeys Derive(HandshakeContext context, ReadOnlySpan<byte> sharedSecret)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        TlsHash hash = CipherSuiteParameters.Of(context.CipherSuite).Hash;
        // The early secret is zeroed as it turns into the handshake secret.
        EarlySecret early = context.TakeEarlySecret(hash);
        var keys = new HandshakeKeys(early.ToHandshakeSecret(sharedSecret), context.Transcript.Snapshot(digest));
        context.LogSecret("CLIENT_HANDSHAKE_TRAFFIC_SECRET", keys.Client);
        context.LogSecret("SERVER_HANDSHAKE_TRAFFIC_SECRET", keys.Server);
        return keys;
    }

    /// <summary>Derives the application's secrets; the transcript ends with the server's Finished.</summary>
    public ApplicationKeys ToApplicationKeys(HandshakeContext context)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        ReadOnlySpan<byte> transcriptHash = context.Transcript.Snapshot(digest);
        var keys = new ApplicationKeys(_secret.ToMasterSecret(), transcriptHash);
        context.LogSecret("CLIENT_TRAFFIC_SECRET_0", keys.Client);
        context.LogSecret("SERVER_TRAFFIC_SECRET_0", keys.Server);
        return keys;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _secret.Dispose();
        Client.Dispose();
        Server.Dispose();
    }
}
