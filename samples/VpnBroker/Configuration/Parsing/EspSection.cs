using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Numerics;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>esp</c>.</summary>
internal static class EspSection
{
    public static EspConfig? Read(ConfigMap root)
    {
        if (root.Section("esp") is not { } map)
            return null;
        // RFC 8221 §5: AES-GCM must not be used with manually managed keys. Whoever does it all the same says so.
        if (!map.Flag("insecureStaticKeys", otherwise: false))
            map.Fail("the SAs of this file have static keys, which RFC 8221 forbids for AES-GCM: write insecureStaticKeys: true if you accept that for tests");
        var config = new EspConfig
        {
            StateFile = map.Require("stateFile")?.AsPath() ?? "",
            ReserveBlock = map.Number("reserveBlock", 1 << 20, 1024, 1 << 28),
            Tunnels = map.List<EspTunnelConfig>("tunnels", Tunnel) ?? [],
        };
        if (config.Tunnels.Count == 0)
            map.Fail("write at least one tunnel below tunnels, or leave the section out");
        map.RefuseUnknownKeys();
        return config;
    }

    private static bool Tunnel(ConfigNode node, [NotNullWhen(true)] out EspTunnelConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        EspMode mode = map.Require("mode")?.AsChoice(("udp", EspMode.Udp), ("raw", EspMode.Raw)) ?? EspMode.Udp;
        IPEndPoint? local = OuterEndpoint(map, "local", mode);
        IPEndPoint? remote = OuterEndpoint(map, "remote", mode);
        if (local is not null && remote is not null && local.AddressFamily != remote.AddressFamily)
            map.Fail("local and remote are of different families: use IPv4 for both or IPv6 for both");
        value = new EspTunnelConfig
        {
            Name = map.Require("name")?.AsText() ?? "",
            Mode = mode,
            Local = local ?? new IPEndPoint(IPAddress.Any, 0),
            Remote = remote ?? new IPEndPoint(IPAddress.Any, 0),
            RemotePrefixes = map.List<IPNetwork>("remotePrefixes", NetworkValues.Prefix) ?? [],
            Mtu = map.Number("mtu", 1400, 576, 9000),
            Pairs = map.List<EspSaPairConfig>("pairs", Pair) ?? [],
        };
        if (value.RemotePrefixes.Count == 0)
            map.Fail("write the prefixes behind the peer: remotePrefixes: [10.20.0.0/16]");
        if (value.Pairs.Count == 0)
            map.Fail("write at least one pair of SAs below pairs");
        map.RefuseUnknownKeys();
        return true;
    }

    private static IPEndPoint? OuterEndpoint(ConfigMap map, string key, EspMode mode)
    {
        if (map.Require(key) is not { } node)
            return null;
        if (mode == EspMode.Udp)
            return NetworkValues.Endpoint(node, out IPEndPoint? endpoint) ? endpoint : null;
        return NetworkValues.Address(node, out IPAddress? address) ? new IPEndPoint(address, 0) : null;
    }

    private static bool Pair(ConfigNode node, [NotNullWhen(true)] out EspSaPairConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        int lcore = (int)(map.Require("lcore")?.AsNumber(0, 63) ?? 0);
        EspSaConfig? inbound = Sa(map, "inbound");
        EspSaConfig? outbound = Sa(map, "outbound");
        map.RefuseUnknownKeys();
        if (inbound is null || outbound is null)
            return false;
        value = new EspSaPairConfig { Lcore = lcore, Inbound = inbound, Outbound = outbound };
        return true;
    }

    private static EspSaConfig? Sa(ConfigMap pair, string key)
    {
        if (pair.Require(key)?.AsMap() is not { } map)
            return null;
        // RFC 4303 §2.1: SPIs 1 to 255 are reserved, 0 is for local use.
        uint spi = (uint)(map.Require("spi")?.AsNumber(256, uint.MaxValue) ?? 0);
        EspKey? material = KeyMaterial(map);
        bool esn = map.Flag("esn", otherwise: true);
        int window = 1024;
        if (key == "inbound" && map.Find("replayWindow") is { } windowNode)
        {
            window = (int)(windowNode.AsNumber(64, 4096) ?? window);
            if (!BitOperations.IsPow2(window))
                windowNode.Fail("write a power of two from 64 to 4096");
        }
        map.RefuseUnknownKeys();
        return material is null ? null : new EspSaConfig { Spi = spi, Key = material, Esn = esn, ReplayWindow = window };
    }

    /// <summary>The key from <c>key</c> and <c>salt</c>, or from <c>keyFile</c>: hexadecimal digits, the salt last (RFC 4106 §8.1).</summary>
    private static EspKey? KeyMaterial(ConfigMap map)
    {
        ConfigNode? key = map.Find("key");
        ConfigNode? salt = map.Find("salt");
        if (map.Find("keyFile") is { } file)
        {
            if (key is null && salt is null)
                return KeyFile(file);
            file.Fail("write keyFile, or key and salt, not both");
            return null;
        }
        if (key is not { } keyNode || salt is not { } saltNode)
        {
            map.Fail("the key is missing: write key (32 or 64 hexadecimal digits) and salt (8), or keyFile");
            return null;
        }
        byte[]? keyBytes = Hex(keyNode, keyNode.AsText(), "write 32 hexadecimal digits (AES-128) or 64 (AES-256)", 16, 32);
        byte[]? saltBytes = Hex(saltNode, saltNode.AsText(), "write 8 hexadecimal digits", EspKey.SaltSize);
        return keyBytes is null || saltBytes is null ? null : new EspKey(keyBytes, saltBytes);
    }

    private static EspKey? KeyFile(ConfigNode node)
    {
        if (node.AsPath() is not { } path)
            return null;
        string text;
        try
        {
            if ((File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != 0)
            {
                node.Fail($"others can read or change {path}: chmod 600 it");
                return null;
            }
            text = File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            node.Fail($"the key file cannot be read: {e.Message}");
            return null;
        }
        byte[]? bytes = Hex(node, text, $"{path} must have 40 or 72 hexadecimal digits: the key, then 8 digits of salt",
            16 + EspKey.SaltSize, 32 + EspKey.SaltSize);
        return bytes is null ? null : new EspKey(bytes.AsSpan(0, bytes.Length - EspKey.SaltSize), bytes.AsSpan(bytes.Length - EspKey.SaltSize));
    }

    private static byte[]? Hex(ConfigNode node, string? text, string message, params ReadOnlySpan<int> sizes)
    {
        if (text is null)
            return null;
        if (text.Length % 2 == 0 && sizes.Contains(text.Length / 2) && text.All(char.IsAsciiHexDigit))
            return Convert.FromHexString(text);
        node.Fail(message);
        return null;
    }
}
