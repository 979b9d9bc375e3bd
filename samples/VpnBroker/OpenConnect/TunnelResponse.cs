using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using VpnBroker.Configuration;
using VpnBroker.OpenConnect.Http;
using VpnBroker.Sessions;

namespace VpnBroker.OpenConnect;

/// <summary>The answer to <c>CONNECT /CSCOSSLC/tunnel</c>: the tunnel's parameters in headers whose names are case-sensitive.</summary>
public static class TunnelResponse
{
    /// <summary>The request target that asks for a tunnel.</summary>
    public const string Target = "/CSCOSSLC/tunnel";

    /// <summary>Writes the answer.</summary>
    /// <param name="lease">The session's addresses.</param>
    /// <param name="profile">What the session gets.</param>
    /// <param name="mtu">The inner MTU.</param>
    /// <param name="ipv6">Whether the client takes IPv6 addresses.</param>
    /// <param name="secondsLeft">Seconds until the session's end; 0 for never.</param>
    /// <param name="dtls">The data channel that the client may begin, or null.</param>
    public static byte[] Write(AddressLease lease, ProfileConfig profile, int mtu, bool ipv6, int secondsLeft, DtlsOffer? dtls = null)
    {
        var response = new HttpResponse("200 CONNECTED")
            .Header("X-CSTP-Version", "1")
            .Header("X-CSTP-Server-Name", "CryptoPlane");
        bool useIPv6 = lease.IPv6 is not null && (ipv6 || lease.IPv4 is null);
        if (lease.IPv4 is { } ipv4)
        {
            response.Header("X-CSTP-Address", ipv4.ToString());
            response.Header("X-CSTP-Netmask", Netmask(lease.Pool.IPv4!.Value.PrefixLength));
        }
        if (useIPv6)
            response.Header("X-CSTP-Address-IP6", $"{lease.IPv6}/{lease.Pool.IPv6!.Value.PrefixLength}");
        response.Header("X-CSTP-MTU", mtu);

        Routes(response, "X-CSTP-Split-Include", profile.Include, useIPv6);
        Routes(response, "X-CSTP-Split-Exclude", profile.Exclude, useIPv6);
        foreach (IPAddress server in profile.Dns)
        {
            if (server.AddressFamily == AddressFamily.InterNetwork)
                response.Header("X-CSTP-DNS", server.ToString());
            else if (useIPv6)
                response.Header("X-CSTP-DNS-IP6", server.ToString());
        }
        response.Header("X-CSTP-Tunnel-All-DNS", profile.TunnelAllDns ? "true" : "false");
        if (profile.DefaultDomain is { } domain)
            response.Header("X-CSTP-Default-Domain", domain);
        if (profile.Banner is { } banner)
            response.Header("X-CSTP-Banner", EncodeBanner(banner));

        response.Header("X-CSTP-DPD", profile.DpdSeconds).Header("X-CSTP-Keepalive", profile.KeepaliveSeconds);
        if (profile.RekeySeconds != 0)
        {
            response.Header("X-CSTP-Rekey-Time", profile.RekeySeconds);
            response.Header("X-CSTP-Rekey-Method", profile.RekeyMethod == RekeyMethod.Ssl ? "ssl" : "new-tunnel");
        }
        if (profile.IdleSeconds != 0)
            response.Header("X-CSTP-Idle-Timeout", profile.IdleSeconds);
        response.Header("X-CSTP-Session-Timeout", secondsLeft == 0 ? "none" : secondsLeft.ToString(CultureInfo.InvariantCulture));
        if (dtls is not null)
        {
            // No X-DTLS-Rekey: each new key of the connection is followed by a new handshake of DTLS.
            response.Header("X-DTLS-Port", dtls.Port)
                .Header("X-DTLS-CipherSuite", DtlsTerms.CipherSuite)
                .Header("X-DTLS-App-ID", dtls.AppId)
                .Header("X-DTLS-MTU", mtu)
                .Header("X-DTLS-DPD", profile.DpdSeconds)
                .Header("X-DTLS-Keepalive", profile.KeepaliveSeconds);
        }
        return response.Header("X-CSTP-Keep", "true").ToBytes();
    }

    private static void Routes(HttpResponse response, string header, IReadOnlyList<IPNetwork> prefixes, bool ipv6)
    {
        foreach (IPNetwork prefix in prefixes)
        {
            if (prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
                response.Header(header, $"{prefix.BaseAddress}/{Netmask(prefix.PrefixLength)}");
            else if (ipv6)
                response.Header(header + "-IP6", $"{prefix.BaseAddress}/{prefix.PrefixLength}");
        }
    }

    private static string Netmask(int prefixLength)
    {
        uint mask = prefixLength == 0 ? 0 : uint.MaxValue << (32 - prefixLength);
        return $"{mask >> 24}.{mask >> 16 & 255}.{mask >> 8 & 255}.{mask & 255}";
    }

    /// <summary>Clients decode %XX in the banner; what would break a header line, or that decoding, is written that way.</summary>
    private static string EncodeBanner(string banner)
    {
        var text = new StringBuilder(banner.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(banner))
        {
            if (b is >= (byte)' ' and < 0x7f and not (byte)'%')
                text.Append((char)b);
            else
                text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return text.ToString();
    }
}
