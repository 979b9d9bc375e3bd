using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CryptoPlane.Traffic;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>Values of the section <c>traffic</c>: rates, sizes, protocols, ports and code points.</summary>
internal static class TrafficValues
{
    private const string RateHelp =
        "write a rate in bits per second (64k, 20M, 1G), in packets per second (5000p), or both, and behind it, if you like, what may go at once as a time: 20M 5000p 10ms";

    /// <summary>Code points that have names (RFC 2474, RFC 2597, RFC 3246, RFC 5865).</summary>
    private static readonly Dictionary<string, int> s_codePoints = new(StringComparer.OrdinalIgnoreCase)
    {
        ["cs0"] = 0, ["cs1"] = 8, ["cs2"] = 16, ["cs3"] = 24, ["cs4"] = 32, ["cs5"] = 40, ["cs6"] = 48, ["cs7"] = 56, ["ef"] = 46, ["va"] = 44,
        ["af11"] = 10, ["af12"] = 12, ["af13"] = 14, ["af21"] = 18, ["af22"] = 20, ["af23"] = 22,
        ["af31"] = 26, ["af32"] = 28, ["af33"] = 30, ["af41"] = 34, ["af42"] = 36, ["af43"] = 38,
    };

    /// <summary>The rate of a key; no limit without it.</summary>
    public static TrafficRate Rate(ConfigMap map, string key)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } text)
            return TrafficRate.None;
        if (TryParseRate(text, out TrafficRate rate))
            return rate;
        node.Fail(RateHelp);
        return TrafficRate.None;
    }

    /// <summary>Bytes of a key: 65536, 64k (1,024 each) or 16M.</summary>
    public static int Bytes(ConfigMap map, string key, int otherwise, int minimum, int maximum)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } text)
            return otherwise;
        long unit = text[^1] switch { 'k' => 1024, 'M' => 1 << 20, _ => 1 };
        string digits = unit == 1 ? text : text[..^1];
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value * unit >= minimum && value * unit <= maximum)
            return (int)(value * unit);
        node.Fail($"write a number of bytes from {minimum} to {maximum}, such as 64k or 2M");
        return otherwise;
    }

    /// <summary>Milliseconds of a key (5ms, 1s), or off (0) where that is allowed.</summary>
    public static int Milliseconds(ConfigMap map, string key, int otherwise, bool offAllowed)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } text)
            return otherwise;
        if (offAllowed && text == "off")
            return 0;
        if (TryParseTime(text, out long nanoseconds) && nanoseconds is >= 1_000_000 and <= 10_000_000_000)
            return (int)(nanoseconds / 1_000_000);
        node.Fail($"write a time from 1ms to 10s, such as 5ms{(offAllowed ? ", or off" : "")}");
        return otherwise;
    }

    /// <summary>A code point: a number or a name.</summary>
    public static bool Dscp(ConfigNode node, out int value)
    {
        value = 0;
        if (node.AsText() is not { } text)
            return false;
        if (s_codePoints.TryGetValue(text, out value) || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value < 64))
            return true;
        node.Fail("write a code point from 0 to 63, or its name: ef, cs0 to cs7, af11 to af43");
        return false;
    }

    /// <summary>A port, or a range of them.</summary>
    public static bool Ports(ConfigNode node, out (ushort First, ushort Last) value)
    {
        value = default;
        if (node.AsText() is not { } text)
            return false;
        string[] parts = text.Split('-');
        if (parts.Length <= 2 && ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort first)
            && ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last) && first <= last)
        {
            value = (first, last);
            return true;
        }
        node.Fail("write a port such as 443, or a range such as 5060-5061");
        return false;
    }

    /// <summary>The protocol of a key, or null.</summary>
    public static int? Protocol(ConfigMap map, string key)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } text)
            return null;
        int number = text switch { "tcp" => 6, "udp" => 17, "sctp" => 132, "icmp" => 1, "icmpv6" => 58, _ => -1 };
        if (number >= 0 || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= byte.MaxValue))
            return number;
        node.Fail("write tcp, udp, sctp, icmp, icmpv6, or a protocol's number from 0 to 255");
        return null;
    }

    /// <summary>Names of users, groups or tunnels.</summary>
    public static bool Name(ConfigNode node, [NotNullWhen(true)] out string? value) => (value = node.AsText()) is not null;

    /// <summary>Reads a rate as <see cref="Rate"/> takes it.</summary>
    public static bool TryParseRate(string text, out TrafficRate rate)
    {
        long bits = 0, packets = 0, burst = 0;
        rate = default;
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (burst == 0 && TryParseTime(word, out long time) && time is > 0 and <= 10_000_000_000)
                burst = time;
            else if (packets == 0 && word[^1] == 'p' && TryParseCount(word[..^1], TrafficRate.MaxPacketsPerSecond, out packets))
                continue;
            else if (bits != 0 || !TryParseCount(word, TrafficRate.MaxBitsPerSecond, out bits))
                return false;
        }
        rate = TrafficRate.Of(bits, packets, burst != 0 ? burst : TrafficConfig.DefaultBurstNanoseconds);
        return rate.IsLimited;
    }

    private static bool TryParseTime(string text, out long nanoseconds)
    {
        long unit = text.EndsWith("us", StringComparison.Ordinal) ? 1_000
            : text.EndsWith("ms", StringComparison.Ordinal) ? 1_000_000
            : text.EndsWith('s') ? 1_000_000_000 : 0;
        nanoseconds = 0;
        if (unit == 0 || !int.TryParse(text.AsSpan(0, text.Length - (unit == 1_000_000_000 ? 1 : 2)), NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return false;
        nanoseconds = count * unit;
        return true;
    }

    /// <summary>A count of at least 1 with a decimal unit: 64k, 1.5M, 10G.</summary>
    private static bool TryParseCount(string text, long maximum, out long value)
    {
        value = 0;
        if (text.Length == 0)
            return false;
        decimal unit = text[^1] switch { 'k' => 1_000, 'M' => 1_000_000, 'G' => 1_000_000_000, _ => 1 };
        if (!decimal.TryParse(unit == 1 ? text : text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count)
            || count > maximum || count * unit is < 1 || count * unit > maximum)
        {
            return false;
        }
        value = (long)(count * unit);
        return true;
    }
}
