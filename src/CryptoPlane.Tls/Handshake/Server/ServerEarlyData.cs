using System.Net.Security;
using System.Security.Cryptography;
using CryptoPlane.Tls.Handshake.Resumption;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>What the first ticket of a ClientHello says about early data, and whether it may be taken (RFC 8446 §4.2.10, §8).</summary>
internal sealed class ServerEarlyData
{
    private readonly byte[] _id;
    private readonly byte[] _protocol;
    private readonly TlsCipherSuite _suite;
    private readonly long _expectedArrival;

    /// <summary>Keeps of a ticket what counts.</summary>
    /// <param name="ticket">As it was offered.</param>
    /// <param name="state">What is in it.</param>
    /// <param name="obfuscatedAge">How old the client thinks that it is.</param>
    public ServerEarlyData(ReadOnlySpan<byte> ticket, TicketState state, uint obfuscatedAge)
    {
        _id = SHA256.HashData(ticket);
        _protocol = state.ApplicationProtocol.ToArray();
        _suite = state.Suite;
        MaxSize = state.MaxEarlyData;
        // RFC 8446 §8.3: expected_arrival_time = creation time of the ticket + the age by the client's clock.
        _expectedArrival = state.Issued + unchecked(obfuscatedAge - state.AgeAdd);
    }

    /// <summary>Most bytes, as the client was told.</summary>
    public int MaxSize { get; }

    /// <summary>Decides, and lets the guard remember what is accepted.</summary>
    public bool TryAccept(TlsServerOptions options, TlsCipherSuite suite, SslApplicationProtocol protocol)
    {
        // RFC 8446 §4.2.10: suite and application protocol must be those of the ticket; the name was compared before.
        // A client whose certificate the application has yet to judge has nothing to say early.
        if (options.DangerousAcceptEarlyData is not { } policy || options.ClientAuthentication is not null
            || MaxSize == 0 || suite != _suite || !protocol.Protocol.Span.SequenceEqual(_protocol))
            return false;
        long window = (long)policy.FreshnessWindow.TotalMilliseconds;
        return Math.Abs(options.TimeProvider.UnixMilliseconds() - _expectedArrival) <= window
            && policy.ReplayGuard.TryUse(_id, _expectedArrival - window, _expectedArrival + window);
    }
}
