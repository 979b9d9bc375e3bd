using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>
/// The answer to a remote user's CFG_REQUEST (RFC 7296 §2.19, §3.15), and what is the user's until it is disposed of: one address of each
/// family at most, however many the user asks for.
/// </summary>
internal sealed class ConfigurationLease : IDisposable
{
    // An address of its own: the whole of the network behind it is the user.
    private const byte HostPrefixLength = 128;

    private readonly IIkeRemoteAccess _access;
    private bool _isReleased;

    private ConfigurationLease(IIkeRemoteAccess access, IkeUserGrant grant, IkeUserRequest user)
    {
        _access = access;
        Grant = grant;
        Addresses = [.. grant.Addresses.Where(address => user.Asks(address.AddressFamily))];
        Selectors = [.. Addresses.Select(address => TrafficSelector.FromPrefix(new IPNetwork(address, address.GetAddressBytes().Length * 8)))];
    }

    /// <summary>What the user was given.</summary>
    public IkeUserGrant Grant { get; }

    /// <summary>The user's addresses, of the families that it asked for.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; }

    /// <summary>What the user may send from: its addresses, and nothing else. The child SA's remote selectors are narrowed to it.</summary>
    public IReadOnlyList<TrafficSelector> Selectors { get; }

    /// <summary>CFG_REPLY.</summary>
    public ConfigurationPayload Reply { get; private set; } = new(ConfigurationType.Reply, []);

    /// <summary>Whether a CFG_REQUEST asks for an address, without which there is no tunnel.</summary>
    public static bool AsksForAddress(ConfigurationPayload request) =>
        Asks(request, ConfigurationAttributeType.InternalIp4Address) || Asks(request, ConfigurationAttributeType.InternalIp6Address);

    /// <summary>Lets the user in and makes the answer. Attributes that were not asked for are not given, except the netmask.</summary>
    /// <param name="request">The user's CFG_REQUEST.</param>
    /// <param name="access">Decides what users are given.</param>
    /// <param name="user">Who asks; the part about addresses is filled in here.</param>
    /// <returns>Null if there is nothing for the user: INTERNAL_ADDRESS_FAILURE.</returns>
    public static ConfigurationLease? TryCreate(ConfigurationPayload request, IIkeRemoteAccess access, IkeUserRequest user)
    {
        user = user with
        {
            AsksIPv4 = Asks(request, ConfigurationAttributeType.InternalIp4Address),
            AsksIPv6 = Asks(request, ConfigurationAttributeType.InternalIp6Address),
            Wanted = [.. new[] { Wanted(request, AddressFamily.InterNetwork), Wanted(request, AddressFamily.InterNetworkV6) }.OfType<IPAddress>()],
        };
        if (access.Admit(user) is not { } grant)
            return null;
        ConfigurationLease lease = new(access, grant, user);
        if (lease.Addresses.Count == 0)
        {
            lease.Dispose();
            return null;
        }
        lease.Reply = ReplyTo(request, lease.Addresses, grant);
        return lease;
    }

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        if (_isReleased)
            return;
        _isReleased = true;
        _access.Release(Grant);
    }

    private static ConfigurationPayload ReplyTo(ConfigurationPayload request, IReadOnlyList<IPAddress> addresses, IkeUserGrant grant)
    {
        List<ConfigurationAttribute> reply = [.. addresses.SelectMany(Address)];
        // What there is no address for is of no use.
        foreach (AddressFamily family in addresses.Select(address => address.AddressFamily))
        {
            bool ipv6 = family == AddressFamily.InterNetworkV6;
            ConfigurationAttributeType dns = ipv6 ? ConfigurationAttributeType.InternalIp6Dns : ConfigurationAttributeType.InternalIp4Dns;
            if (Asks(request, dns))
                reply.AddRange(grant.NameServers.Where(server => server.AddressFamily == family).Select(server => new ConfigurationAttribute(dns, server.GetAddressBytes())));
            if (Asks(request, ipv6 ? ConfigurationAttributeType.InternalIp6Subnet : ConfigurationAttributeType.InternalIp4Subnet))
                reply.AddRange(grant.Subnets.Where(subnet => subnet.BaseAddress.AddressFamily == family).Select(Subnet));
        }
        // RFC 8598 §3.1: domains come with the name servers that know them.
        bool hasServers = reply.Any(attribute => attribute.Type is ConfigurationAttributeType.InternalIp4Dns or ConfigurationAttributeType.InternalIp6Dns);
        if (hasServers && Asks(request, ConfigurationAttributeType.InternalDnsDomain))
            reply.AddRange(grant.Domains.Select(domain => new ConfigurationAttribute(ConfigurationAttributeType.InternalDnsDomain, Encoding.ASCII.GetBytes(domain))));
        return new ConfigurationPayload(ConfigurationType.Reply, reply);
    }

    private static IEnumerable<ConfigurationAttribute> Address(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // §3.15.1: the address and the length of its prefix.
            yield return new ConfigurationAttribute(ConfigurationAttributeType.InternalIp6Address, [.. bytes, HostPrefixLength]);
            yield break;
        }
        yield return new ConfigurationAttribute(ConfigurationAttributeType.InternalIp4Address, bytes);
        yield return new ConfigurationAttribute(ConfigurationAttributeType.InternalIp4Netmask, [255, 255, 255, 255]);
    }

    /// <summary>The address that a request names; null for none, all zeros, or bytes that are none.</summary>
    private static IPAddress? Wanted(ConfigurationPayload request, AddressFamily family)
    {
        bool ipv6 = family == AddressFamily.InterNetworkV6;
        ConfigurationAttributeType type = ipv6 ? ConfigurationAttributeType.InternalIp6Address : ConfigurationAttributeType.InternalIp4Address;
        ReadOnlySpan<byte> value = request.Attributes.FirstOrDefault(attribute => attribute.Type == type)?.Value ?? [];
        int length = ipv6 ? 16 : 4;
        // IPv6's comes with a prefix length, which is the gateway's to decide.
        if (value.Length < length || value.Length > length + 1 || !value[..length].ContainsAnyExcept((byte)0))
            return null;
        return new IPAddress(value[..length]);
    }

    private static bool Asks(ConfigurationPayload request, ConfigurationAttributeType type) => request.Attributes.Any(attribute => attribute.Type == type);

    /// <summary>§3.15.1: of IPv4 the address and the netmask, of IPv6 the address and the length of its prefix.</summary>
    private static ConfigurationAttribute Subnet(IPNetwork subnet)
    {
        byte[] bytes = subnet.BaseAddress.GetAddressBytes();
        if (bytes.Length != 4)
            return new ConfigurationAttribute(ConfigurationAttributeType.InternalIp6Subnet, [.. bytes, (byte)subnet.PrefixLength]);
        byte[] value = new byte[8];
        bytes.CopyTo(value, 0);
        BinaryPrimitives.WriteUInt32BigEndian(value.AsSpan(4), subnet.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - subnet.PrefixLength));
        return new ConfigurationAttribute(ConfigurationAttributeType.InternalIp4Subnet, value);
    }
}
