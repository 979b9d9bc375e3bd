using System.Security.Cryptography;
using CryptoPlane.Tls.Handshake.Resumption;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>Looks for a key among those that a client offers (RFC 8446 §4.2.11): of a ticket of ours, or one that it shares with us.</summary>
internal static class ServerPreSharedKeys
{
    /// <summary>Most identities of one ClientHello that are looked at: each costs a decryption, and a client has little use for more.</summary>
    private const int MaxLookedAt = 4;

    /// <summary>Takes the first key that is ours into the handshake. Call it when the transcript ends before the ClientHello.</summary>
    /// <param name="context">Knows the suite; gets the key.</param>
    /// <param name="options">Of the server.</param>
    /// <param name="extensions">Of the ClientHello; pre_shared_key is the last, as the negotiation has checked.</param>
    /// <param name="serverName">What the client asks for.</param>
    /// <param name="hello">The whole message.</param>
    /// <param name="early">What the ticket says about early data, if the first offer is a ticket that was taken, and early data is offered.</param>
    /// <returns>Null, whether or not a key was taken; or why the connection must fail.</returns>
    public static TlsError? TryTake(
        HandshakeContext context, TlsServerOptions options, ExtensionList extensions, string? serverName, HandshakeMessage hello, out ServerEarlyData? early)
    {
        early = null;
        bool allowsKeyExchange = false;
        if (extensions.TryGet(ExtensionType.PskKeyExchangeModes, out ReadOnlySpan<byte> modes)
            && !PskKeyExchangeModesExtension.TryParse(modes, out allowsKeyExchange))
            return TlsError.Decode("The client's psk_key_exchange_modes are malformed.");
        context.TakesTickets = allowsKeyExchange;
        if (!extensions.TryGet(ExtensionType.PreSharedKey, out ReadOnlySpan<byte> data))
            return null;
        if (PreSharedKeyExtension.Parse(data, out PreSharedKeyExtension.ClientOffers offers) is { } error)
            return error;
        if (!allowsKeyExchange)
            return null;
        Span<byte> plaintext = stackalloc byte[ServerTickets.MaxPlaintext];
        try
        {
            for (int i = 0; i < MaxLookedAt && offers.TryGet(i, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder); i++)
            {
                ReadOnlySpan<byte> truncatedHello = hello.Whole[..^offers.BindersLength];
                if (ServerTickets.TryOpen(context, options, identity, serverName, plaintext, out TicketState state))
                {
                    TlsHash hash = CipherSuiteParameters.Of(state.Suite).Hash;
                    if (!VerifyBinder(context, hash, state.PreSharedKey, EarlySecret.TicketBinder, truncatedHello, binder))
                        return WrongBinder();
                    if (!ServerTickets.TryUse(options, identity, state))
                        continue;
                    context.Resume(state.PreSharedKey, i);
                    ServerTickets.TakeIdentity(context, options, state);
                    // RFC 8446 §4.2.10: early data is for the first key alone.
                    if (i == 0 && extensions.Contains(ExtensionType.EarlyData))
                        early = new ServerEarlyData(identity, state, offers.FirstObfuscatedAge);
                    return null;
                }
                // A client with such a key shows no certificate (RFC 8446 §4.3.2), so it is of no use where one is required. §4.2.11: a key
                // goes with one hash.
                if (options.ClientAuthentication is { IsRequired: true, IsDeferred: false })
                    continue;
                if (options.PreSharedKeys?.Find(identity) is not { } external || external.Hash != CipherSuiteParameters.Of(context.CipherSuite).Hash)
                    continue;
                ReadOnlySpan<byte> label = external.IsImported ? EarlySecret.ImportedBinder : EarlySecret.ExternalBinder;
                if (!VerifyBinder(context, external.Hash, external.Key, label, truncatedHello, binder))
                    return WrongBinder();
                context.TakePreSharedKey(external, i);
                return null;
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
        return null;
    }

    private static bool VerifyBinder(
        HandshakeContext context, TlsHash hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> truncatedHello, ReadOnlySpan<byte> binder)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength], expected = stackalloc byte[hash.Length()];
        using EarlySecret early = EarlySecret.Of(hash, key);
        early.ComputeBinder(label, context.Transcript.SnapshotForBinder(hash, truncatedHello, digest), expected);
        return CryptographicOperations.FixedTimeEquals(expected, binder);
    }

    /// <summary>RFC 8446 §4.2.11: "If this value is not present or does not validate, the server MUST abort the handshake."</summary>
    private static TlsError WrongBinder() => TlsError.Misbehaved(TlsAlert.DecryptError, "The binder of the client's pre-shared key is wrong.");
}
