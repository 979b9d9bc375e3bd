using System.Globalization;
using System.Net;
using CryptoPlane.Capture;

namespace VpnBroker.Capture;

/// <summary>Reads a filter: words such as <c>host 192.0.2.1 and proto esp and spi 0x01000001</c>; <c>and</c> may be left out.</summary>
public static class CaptureFilterText
{
    private const string Help = "write host ADDRESS, user NAME, proto esp|udp|tcp|icmp|NUMBER, port NUMBER, spi NUMBER; each once, joined by \"and\"";

    /// <summary>Parses a filter.</summary>
    /// <param name="text">The text; null or empty for everything.</param>
    /// <param name="addressesOf">A user's inner addresses, for <c>user NAME</c>.</param>
    /// <exception cref="CaptureRefusedException">It cannot be read, or nobody of that name has a tunnel.</exception>
    public static CaptureFilter Parse(string? text, Func<string, IReadOnlyList<IPAddress>> addressesOf)
    {
        // It is shown in the log and in the file.
        if (text?.Any(char.IsControl) == true)
            throw Wrong("it has control characters");
        var filter = new CaptureFilter();
        var seen = new HashSet<string>();
        string[] words = (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        for (int i = 0; i < words.Length; i++)
        {
            string key = words[i];
            if (key == "and" && i > 0 && i + 1 < words.Length && words[i - 1] != "and")
                continue;
            if (++i == words.Length)
                throw Wrong($"\"{key}\" is followed by nothing");
            // A user's addresses and a host are conditions on the same fields.
            if (!seen.Add(key == "user" ? "host" : key))
                throw Wrong($"\"{key}\" is too much");
            Apply(ref filter, key, words[i], addressesOf);
        }
        return filter;
    }

    private static void Apply(ref CaptureFilter filter, string key, string value, Func<string, IReadOnlyList<IPAddress>> addressesOf)
    {
        switch (key)
        {
            case "host" when IPAddress.TryParse(value, out IPAddress? address):
                filter.TryAddHost(address);
                break;
            case "user":
                AddUser(ref filter, value, addressesOf(value));
                break;
            case "proto" when TryProtocol(value, out byte protocol):
                filter.Protocol = protocol;
                break;
            case "port" when ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port):
                filter.Port = port;
                break;
            case "spi" when TryNumber(value, out uint spi):
                filter.Spi = spi;
                break;
            default:
                throw Wrong($"\"{key} {value}\" cannot be read");
        }
    }

    private static void AddUser(ref CaptureFilter filter, string user, IReadOnlyList<IPAddress> addresses)
    {
        if (addresses.Count == 0)
            throw new CaptureRefusedException($"{user} has no inner address now: \"broker status\" lists who has");
        foreach (IPAddress address in addresses)
        {
            if (!filter.TryAddHost(address))
                throw new CaptureRefusedException($"{user} has more than {CaptureFilter.MaxHosts} inner addresses: write host ADDRESS");
        }
    }

    private static bool TryProtocol(string text, out byte protocol)
    {
        protocol = text switch { "icmp" => 1, "tcp" => 6, "udp" => 17, "esp" => 50, _ => 0 };
        return protocol != 0 || byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out protocol);
    }

    private static bool TryNumber(string text, out uint number) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static CaptureRefusedException Wrong(string what) => new($"the filter: {what}; {Help}");
}
