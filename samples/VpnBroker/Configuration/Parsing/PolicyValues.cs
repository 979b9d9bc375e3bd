using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CryptoPlane.Policy;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>Protocols and ports, as rules name them.</summary>
internal static class PolicyValues
{
    private static readonly (string Name, byte[] Numbers)[] s_protocols =
    [
        ("tcp", [6]), ("udp", [17]), ("icmp", [1, 58]), ("sctp", [132]), ("dccp", [33]), ("udplite", [136]), ("gre", [47]), ("esp", [50]), ("ah", [51]),
        ("ipip", [4]), ("igmp", [2]), ("ospf", [89]), ("vrrp", [112]),
    ];

    /// <summary>What a protocol is called; its number where it has no name here.</summary>
    public static string NameOf(byte protocol) =>
        s_protocols.FirstOrDefault(known => known.Numbers.Contains(protocol)).Name ?? protocol.ToString(CultureInfo.InvariantCulture);

    /// <summary>The numbers behind a name or a number; <c>icmp</c> is that of both families.</summary>
    public static bool TryProtocol(string text, [NotNullWhen(true)] out IReadOnlyList<byte>? numbers)
    {
        numbers = s_protocols.FirstOrDefault(known => known.Name == text).Numbers;
        if (numbers is null && byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
            numbers = [number];
        return numbers is not null;
    }

    public static bool Protocol(ConfigNode node, [NotNullWhen(true)] out IReadOnlyList<byte>? value)
    {
        value = null;
        if (node.AsText() is not { } text)
            return false;
        if (TryProtocol(text, out value))
            return true;
        node.Fail($"\"{text}\" is no protocol: write a number from 0 to 255, or one of: {string.Join(", ", s_protocols.Select(known => known.Name))}");
        return false;
    }

    public static bool Ports(ConfigNode node, out PolicyPortRange value)
    {
        value = default;
        if (node.AsText() is not { } text)
            return false;
        int dash = text.IndexOf('-', StringComparison.Ordinal);
        string first = dash < 0 ? text : text[..dash], last = dash < 0 ? text : text[(dash + 1)..];
        if (ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out ushort from)
            && ushort.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out ushort to) && from <= to)
        {
            value = new PolicyPortRange(from, to);
            return true;
        }
        node.Fail($"\"{text}\" is no port: write a number from 0 to 65535, or a range such as 8000-8080");
        return false;
    }

    /// <summary>Whether a text is meant as an address or a prefix rather than as a name.</summary>
    public static bool LooksLikePrefix(string text) => char.IsAsciiDigit(text[0]) || text.AsSpan().ContainsAny('/', ':');
}
