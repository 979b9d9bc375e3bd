using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using VpnBroker.Audit;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.OpenConnect.Http;
using VpnBroker.OpenConnect.Strap;
using VpnBroker.Sessions;

namespace VpnBroker.OpenConnect;

/// <summary>
/// One connection's requests, from the first form to CONNECT: takes parsed requests, gives responses, and does no I/O of its own.
/// </summary>
/// <param name="portal">What is shared.</param>
/// <param name="remote">The client.</param>
/// <param name="serverName">What it asked for (SNI), or null.</param>
/// <param name="connection">What names the connection.</param>
/// <param name="clientCertificate">The certificate (DER) that TLS has verified; null for none.</param>
/// <param name="dtls">What the client is told of a data channel over DTLS; null where there is none.</param>
public sealed class PortalConversation(Portal portal, IPEndPoint remote, string? serverName, ChannelBindings connection, byte[]? clientCertificate, DtlsTerms? dtls = null)
{
    private IAuthenticationDialog? _dialog;

    /// <summary>Answers a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellation">Set when the client is gone or its time is over.</param>
    public async ValueTask<PortalReply> RespondAsync(HttpRequest request, CancellationToken cancellation) => request.Method switch
    {
        "POST" => await PostAsync(request, cancellation),
        "CONNECT" when request.Target == TunnelResponse.Target => Connect(request),
        "GET" when request.Target == "/" => Text("200 OK", close: !request.KeepAlive),
        "GET" or "HEAD" => Text("404 Not Found", close: true),
        _ => Text("405 Method Not Allowed", close: true),
    };

    /// <summary>The answer to bytes that are no acceptable request.</summary>
    public static PortalReply Refuse(HttpParseStatus status) => Text(status switch
    {
        HttpParseStatus.HeaderTooLarge => "431 Request Header Fields Too Large",
        HttpParseStatus.BodyTooLarge => "413 Content Too Large",
        HttpParseStatus.NotImplemented => "501 Not Implemented",
        _ => "400 Bad Request",
    }, close: true);

    private async ValueTask<PortalReply> PostAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (ConfigAuthRequest.TryParse(request.Body) is not { } document)
            return Text("400 Bad Request", close: true);
        switch (document.Type)
        {
            case ConfigAuthType.Init:
                _dialog = Begin();
                return Start(request, _dialog);
            case ConfigAuthType.Logout:
                if (FindSession(request, AuditEvent.End) is { } session)
                    portal.Sessions.End(session, DataPlane.Contracts.TunnelEndReason.ClientDisconnected);
                return Xml(ConfigAuthDocuments.Complete(), request);
            default:
                return await LogInAsync(request, document.Answers, cancellation);
        }
    }

    /// <summary>Lets a client in whose certificate is enough, and asks all others.</summary>
    private PortalReply Start(HttpRequest request, IAuthenticationDialog dialog)
    {
        switch (dialog.TryWithoutAnswers())
        {
            case AuthenticationStep.Accepted accepted:
                return Accept(request, accepted, portal.Config().Limits);
            case AuthenticationStep.Rejected rejected:
                // Nothing was guessed, so nothing counts towards the limits.
                portal.Record(new AuditRecord(AuditEvent.Login, rejected.User, remote, false, rejected.Reason, 0));
                PortalLog.LoginFailed(portal.Logger, PrintableName.Of(rejected.User), remote, rejected.Reason);
                break;
        }
        return Xml(ConfigAuthDocuments.Form(dialog.FirstForm, failed: false), request);
    }

    private async ValueTask<PortalReply> LogInAsync(HttpRequest request, IReadOnlyDictionary<string, string> answers, CancellationToken cancellation)
    {
        LimitsConfig limits = portal.Config().Limits;
        string name = answers.GetValueOrDefault("username", "");
        if (!portal.Attempts.MayTry(remote.Address, name, out TimeSpan wait))
            return TooManyAttempts(name, wait);
        _dialog ??= Begin();
        AuthenticationStep step = await _dialog.AnswerAsync(answers, cancellation);
        // Others of the address may have failed meanwhile. Who asks on many connections at once learns nothing of the answers behind the
        // bound, right ones included: else the bound would be that of connections.
        if (!portal.Attempts.MayTry(remote.Address, name, out wait))
            return TooManyAttempts(name, wait);
        switch (step)
        {
            case AuthenticationStep.Ask ask:
                return Xml(ConfigAuthDocuments.Form(ask.Form, failed: false), request);

            case AuthenticationStep.Rejected rejected:
                portal.Attempts.Note(remote.Address, rejected.User, success: false, limits);
                portal.Record(new AuditRecord(AuditEvent.Login, rejected.User, remote, false, rejected.Reason, 0));
                PortalLog.LoginFailed(portal.Logger, PrintableName.Of(rejected.User), remote, rejected.Reason);
                _dialog = Begin();
                return Xml(ConfigAuthDocuments.Form(_dialog.FirstForm, failed: true), request);

            case AuthenticationStep.Accepted accepted:
                portal.Attempts.Note(remote.Address, accepted.User, success: true, limits);
                return Accept(request, accepted, limits);

            default:
                throw new InvalidOperationException("An authenticator answers with Ask, Accepted or Rejected.");
        }
    }

    private PortalReply.Answer TooManyAttempts(string name, TimeSpan wait)
    {
        string reason = portal.Attempts.MayTry(remote.Address, out _) ? "too many attempts as this user" : "too many attempts from this address";
        portal.Record(new AuditRecord(AuditEvent.Login, name, remote, false, reason, 0));
        int seconds = (int)Math.Ceiling(wait.TotalSeconds);
        return new PortalReply.Answer(new HttpResponse("429 Too Many Requests").Header("Retry-After", seconds).Header("Connection", "close")
            .Body("text/plain", []).ToBytes(), Close: true);
    }

    private PortalReply Accept(HttpRequest request, AuthenticationStep.Accepted accepted, LimitsConfig limits)
    {
        string? group = portal.GroupOf(accepted.Groups);
        // Clients without a key, or with one of a kind that is not known here, get a session that is bound to their address.
        var key = StrapKey.TryParse(request.Headers.GetValueOrDefault(StrapKey.KeyHeader));
        Session? session = portal.Sessions.Create(accepted.User, group, portal.ProfileOf(group), remote, limits, key, out string cookie);
        if (session is null)
        {
            portal.Record(new AuditRecord(AuditEvent.Login, accepted.User, remote, false, "too many sessions", 0));
            PortalLog.LoginFailed(portal.Logger, accepted.User, remote, "limits.sessions is reached");
            return Unavailable("The gateway has no room for another session");
        }
        // Before the client has the cookie, and so before any tunnel.
        session.Groups = accepted.Groups;
        session.CertificateDigest = CertificateDigest();
        _dialog = null;
        portal.Record(new AuditRecord(AuditEvent.Login, session.User, remote, true, null, session.Id));
        PortalLog.LoggedIn(portal.Logger, session.User, remote, session.Id);
        HttpResponse response = new HttpResponse("200 OK")
            .Header("Set-Cookie", $"webvpn={cookie}; path=/; Secure; HttpOnly")
            .Header("Cache-Control", "no-store");
        return Finish(response.Body("text/xml; charset=utf-8", ConfigAuthDocuments.Complete()), request);
    }

    private PortalReply Connect(HttpRequest request)
    {
        if (FindSession(request, AuditEvent.Connect) is not { } session)
            return Text("401 Unauthorized", close: true);
        ProfileConfig profile = portal.ProfileOf(session.Group);
        if (portal.Sessions.Lease(session, profile.Pool) is not { } lease)
        {
            PortalLog.PoolEmpty(portal.Logger, profile.Pool, session.User);
            portal.Record(new AuditRecord(AuditEvent.Connect, session.User, remote, false, "no address is free", session.Id));
            return Unavailable("No address is free");
        }
        bool ipv6 = request.Headers.GetValueOrDefault("X-CSTP-Address-Type", "IPv4").Contains("IPv6", StringComparison.OrdinalIgnoreCase);
        int mtu = AgreeOnMtu(request, profile, lease);
        portal.Record(new AuditRecord(AuditEvent.Connect, session.User, remote, true, null, session.Id) { Lease = lease });
        DtlsOffer? offer = OfferDtls(request, session);
        byte[] response = TunnelResponse.Write(lease, profile, mtu, ipv6, portal.Sessions.SecondsLeft(session), offer);
        return new PortalReply.Tunnel(response, session, lease, profile, mtu, offer is not null);
    }

    /// <summary>A data channel, where the client takes a key from this connection. Older ones send keys of their own, and get none.</summary>
    private DtlsOffer? OfferDtls(HttpRequest request, Session session)
    {
        string suites = request.Headers.GetValueOrDefault(DtlsTerms.CipherSuiteHeader, "");
        return dtls is not null && suites.Split(':').Contains(DtlsTerms.CipherSuite) && portal.Sessions.OfferDtls(session, dtls.ExportKey()) is { } appId
            ? new DtlsOffer(dtls.Port, appId)
            : null;
    }

    /// <summary>The session of a request's cookie; null, counted and audited, when the cookie is worth nothing on this connection.</summary>
    /// <remarks>A refusal leaves the session as it is: whoever has a copy of a cookie cannot harm its owner with it.</remarks>
    private Session? FindSession(HttpRequest request, AuditEvent wish)
    {
        Session? session = request.Cookie("webvpn") is { } cookie ? portal.Sessions.Find(cookie) : null;
        string? refusal = session is null ? "unknown or expired cookie" : WhyNotTheOwner(session, request, wish);
        if (refusal is null)
            return session;
        portal.Sessions.CountRefusedCookie();
        portal.Record(new AuditRecord(wish, session?.User ?? "", remote, false, refusal, session?.Id ?? 0));
        if (session is not null)
            PortalLog.CookieRefused(portal.Logger, session.User, session.Id, session.LoginAddress, remote, refusal);
        return null;
    }

    /// <summary>Null when the session's own client sent a request, as far as can be told; else the reason for the audit log.</summary>
    private string? WhyNotTheOwner(Session session, HttpRequest request, AuditEvent wish)
    {
        // A certificate is proved on every connection, so a cookie that came with one is worth nothing without it.
        if (session.CertificateDigest is { } digest && !digest.AsSpan().SequenceEqual(CertificateDigest()))
            return "cookie-without-its-certificate";
        // Clients sign CONNECT only. A key that is proven is worth more than an address: its owner may roam.
        if (session.StrapKey is { } key && wish == AuditEvent.Connect)
        {
            return StrapKey.TryParse(request.Headers.GetValueOrDefault(StrapKey.KeyHeader)) is { } next
                && key.Verify(connection, next, request.Headers.GetValueOrDefault(StrapKey.ProofHeader))
                && portal.Sessions.ReplaceKey(session, key, next) ? null : "cookie-without-its-key";
        }
        bool mayRoam = session.StrapKey is null && portal.ProfileOf(session.Group).Roaming;
        return mayRoam || session.LoginAddress.Equals(remote.Address) ? null : "cookie-from-another-address";
    }

    /// <summary>The smaller of the profile's MTU and the client's wish, when that makes sense.</summary>
    private static int AgreeOnMtu(HttpRequest request, ProfileConfig profile, AddressLease lease)
    {
        // RFC 791 §3.1 and RFC 8200 §5: what every host takes, and every link that carries IPv6.
        int least = lease.IPv6 is null ? 576 : 1280;
        bool asked = int.TryParse(request.Headers.GetValueOrDefault("X-CSTP-MTU"), NumberStyles.None, CultureInfo.InvariantCulture, out int wish);
        return asked && wish >= least ? Math.Min(profile.Mtu, wish) : profile.Mtu;
    }

    private IAuthenticationDialog Begin() => portal.Authenticator.Begin(new AuthenticationContext(
        remote, serverName, clientCertificate is null ? null : new ReadOnlyMemory<byte>(clientCertificate)));

    private byte[]? CertificateDigest() => clientCertificate is null ? null : SHA256.HashData(clientCertificate);

    private static PortalReply.Answer Xml(byte[] document, HttpRequest request) =>
        Finish(new HttpResponse("200 OK").Header("X-Transcend-Version", "1").Body("text/xml; charset=utf-8", document), request);

    private static PortalReply.Answer Finish(HttpResponse response, HttpRequest request)
    {
        response.Header("Connection", request.KeepAlive ? "keep-alive" : "close");
        return new PortalReply.Answer(response.ToBytes(), Close: !request.KeepAlive);
    }

    private static PortalReply.Answer Unavailable(string reason) =>
        new(new HttpResponse("503 Service Unavailable").Header("X-Reason", reason).Header("Connection", "close").Body("text/plain", []).ToBytes(), Close: true);

    private static PortalReply.Answer Text(string status, bool close) => new(HttpResponse.Text(status, close).ToBytes(), close);
}
