using System.Net;
using Microsoft.AspNetCore.Http;

namespace VpnBroker.Web;

/// <summary>
/// Whether a request's Host header is one that somebody who means this broker would send. A stranger's page can make a browser on the same
/// machine ask it, under a name of the stranger's that was made to lead here (DNS rebinding): its Host is then that name, never an address.
/// </summary>
/// <param name="names">Names that are taken besides <c>localhost</c>.</param>
internal sealed class HostCheck(IReadOnlyList<string> names)
{
    /// <summary>Whether the host may ask. The port does not count: it is another one behind SSH's forwarding.</summary>
    public bool IsAllowed(HostString host) =>
        IsWhole(host) && (IsAddress(host.Host) || IsName(host.Host, "localhost") || names.Any(name => IsName(host.Host, name)));

    /// <summary>Whether nothing but a port is behind the host: <c>[::1].evil.example</c> is no address.</summary>
    private static bool IsWhole(HostString host) =>
        host.HasValue && (host.Value.Length == host.Host.Length || (host.Value[host.Host.Length] == ':' && host.Port is not null));

    /// <summary>An address as browsers write it; IPAddress takes <c>127.1</c> and <c>0x7f000001</c> as well.</summary>
    private static bool IsAddress(string host) => host.StartsWith('[')
        ? host.EndsWith(']') && !host.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(host, out _)
        : IPAddress.TryParse(host, out IPAddress? address) && address.ToString() == host && !host.Contains(':', StringComparison.Ordinal);

    // RFC 9110 §4.2.3: a host is compared without regard to case.
    private static bool IsName(string host, string name) => string.Equals(host, name, StringComparison.OrdinalIgnoreCase);
}
