using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace VpnBroker.Configuration.Yaml;

/// <summary>Parses addresses, prefixes and endpoints, strictly: no octal, no short forms, no host bits behind a prefix.</summary>
internal static class NetworkValues
{
    public static bool Prefix(ConfigNode node, out IPNetwork value)
    {
        value = default;
        if (node.AsText() is not { } text)
            return false;
        if (!SplitPrefix(text, out IPAddress? address, out int length))
        {
            node.Fail($"\"{text}\" is no prefix: write an address, a slash and a length, such as 10.20.0.0/16 or fd00:20::/64");
            return false;
        }
        IPAddress baseAddress = Mask(address, length);
        value = new IPNetwork(baseAddress, length);
        if (baseAddress.Equals(address))
            return true;
        node.Fail($"{text} has bits set behind the prefix length: write {baseAddress}/{length}");
        return false;
    }

    public static bool InterfaceAddress(ConfigNode node, out InterfaceAddress value)
    {
        value = default;
        if (node.AsText() is not { } text)
            return false;
        if (!SplitPrefix(text, out IPAddress? address, out int length))
        {
            node.Fail($"\"{text}\" is no interface address: write it with its prefix length, such as 10.77.0.1/16");
            return false;
        }
        value = new InterfaceAddress(address, length);
        return true;
    }

    public static bool Address(ConfigNode node, [NotNullWhen(true)] out IPAddress? value)
    {
        value = null;
        if (node.AsText() is not { } text)
            return false;
        if (TryAddress(text, out value))
            return true;
        node.Fail($"\"{text}\" is no address: write it in full, such as 192.0.2.1 or 2001:db8::1");
        return false;
    }

    /// <summary>An address and a port: <c>192.0.2.1:443</c> or <c>[2001:db8::1]:443</c>.</summary>
    public static bool Endpoint(ConfigNode node, [NotNullWhen(true)] out IPEndPoint? value)
    {
        value = null;
        if (node.AsText() is not { } text)
            return false;
        int colon = text.LastIndexOf(':');
        bool bracketed = colon > 1 && text[0] == '[' && text[colon - 1] == ']';
        string host = bracketed ? text[1..(colon - 1)] : text[..Math.Max(colon, 0)];
        if (TryAddress(host, out IPAddress? address)
            && bracketed == (address.AddressFamily == AddressFamily.InterNetworkV6)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is >= 1 and <= 65535)
        {
            value = new IPEndPoint(address, port);
            return true;
        }
        node.Fail($"\"{text}\" is no endpoint: write an address and a port, such as 0.0.0.0:443 or \"[::]:443\"");
        return false;
    }

    private static bool SplitPrefix(string text, [NotNullWhen(true)] out IPAddress? address, out int length)
    {
        address = null;
        length = 0;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && TryAddress(text[..slash], out address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length)
            && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }

    private static bool TryAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        // IPAddress.TryParse takes "10" and "010.1" as well: only the written-out form is meant here.
        if (!IPAddress.TryParse(text, out address) || text.Contains('%', StringComparison.Ordinal))
            return false;
        return address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text;
    }

    private static IPAddress Mask(IPAddress address, int length)
    {
        byte[] bytes = address.GetAddressBytes();
        for (int i = 0; i < bytes.Length; i++)
        {
            int bits = Math.Clamp(length - i * 8, 0, 8);
            bytes[i] &= (byte)(0xff00 >> bits);
        }
        return new IPAddress(bytes);
    }
}
