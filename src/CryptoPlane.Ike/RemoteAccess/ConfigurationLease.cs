using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>
/// The answer to a remote user's CFG_REQUEST (RFC 7296 §2.19, §3.15), and the addresses that are the user's until it is disposed of: one of
/// each family at most, however many the user asks for.
/// </summary>
internal sealed class ConfigurationLease : IDisposable
{
    // An address of its own: the whole of the network behind it is the user.
    private const byte HostPrefixLength = 128;

    private readonly IIkeAddressSource _source;
    private readonly List<IPAddress> _addresses = [];

    private ConfigurationLease(IIkeAddressSource source) => _source = source;

    /// <summary>The user's addresses.</summary>
    public IReadOnlyList<IPAddress> Addresses => _addresses;

    /// <summary>What the user may send from: its addresses, and nothing else. The child SA's remote selectors are narrowed to it.</summary>
    public IReadOnlyList<TrafficSelector> Selectors =>
        [.. _addresses.Select(address => TrafficSelector.FromPrefix(new IPNetwork(address, address.GetAddressBytes().Length * 8)))];

    /// <summary>CFG_REPLY.</summary>
    public ConfigurationPayload Reply { get; private set; } = new(ConfigurationType.Reply, []);

    /// <summary>Leases addresses and makes the answer. Attributes that were not asked for are not given, except the netmask.</summary>
    /// <param name="request">The user's CFG_REQUEST.</param>
    /// <param name="access">What users are given.</param>
    /// <param name="user">Who asks: authenticated.</param>
    /// <returns>Null if the user asked for addresses and there is none: INTERNAL_ADDRESS_FAILURE.</returns>
    public static ConfigurationLease? TryCreate(ConfigurationPayload request, IkeRemoteAccess access, string user)
    {
        ConfigurationLease lease = new(access.Addresses);
        List<ConfigurationAttribute> reply = [];
        bool asked4 = lease.Lease(request, ConfigurationAttributeType.InternalIp4Address, AddressFamily.InterNetwork, user, reply);
        bool asked6 = lease.Lease(request, ConfigurationAttributeType.InternalIp6Address, AddressFamily.InterNetworkV6, user, reply);
        if ((asked4 || asked6) && lease._addresses.Count == 0)
            return null;

        // What there is no address for is of no use.
        foreach (AddressFamily family in lease._addresses.Select(address => address.AddressFamily))
        {
            bool ipv6 = family == AddressFamily.InterNetworkV6;
            if (Asks(request, ipv6 ? ConfigurationAttributeType.InternalIp6Dns : ConfigurationAttributeType.InternalIp4Dns))
            {
                reply.AddRange(access.NameServers.Where(server => server.AddressFamily == family).Select(server =>
                    new ConfigurationAttribute(ipv6 ? ConfigurationAttributeType.InternalIp6Dns : ConfigurationAttributeType.InternalIp4Dns, server.GetAddressBytes())));
            }
            if (Asks(request, ipv6 ? ConfigurationAttributeType.InternalIp6Subnet : ConfigurationAttributeType.InternalIp4Subnet))
                reply.AddRange(access.Subnets.Where(subnet => subnet.BaseAddress.AddressFamily == family).Select(Subnet));
        }
        lease.Reply = new ConfigurationPayload(ConfigurationType.Reply, reply);
        return lease;
    }

    /// <summary>Gives the addresses back.</summary>
    public void Dispose()
    {
        _addresses.ForEach(_source.Release);
        _addresses.Clear();
    }

    /// <summary>Leases one address, if there was a request for its family.</summary>
    private bool Lease(ConfigurationPayload request, ConfigurationAttributeType type, AddressFamily family, string user, List<ConfigurationAttribute> reply)
    {
        ConfigurationAttribute? asked = request.Attributes.FirstOrDefault(attribute => attribute.Type == type);
        if (asked == null)
            return false;
        if (!_source.TryLease(user, family, Wanted(asked.Value, family), out IPAddress? address))
            return true;
        _addresses.Add(address);
        byte[] bytes = address.GetAddressBytes();
        if (family == AddressFamily.InterNetworkV6)
        {
            // §3.15.1: the address and the length of its prefix.
            reply.Add(new ConfigurationAttribute(type, [.. bytes, HostPrefixLength]));
        }
        else
        {
            reply.Add(new ConfigurationAttribute(type, bytes));
            reply.Add(new ConfigurationAttribute(ConfigurationAttributeType.InternalIp4Netmask, [255, 255, 255, 255]));
        }
        return true;
    }

    /// <summary>The address that a request names; null for none, all zeros, or bytes that are none.</summary>
    private static IPAddress? Wanted(ReadOnlySpan<byte> value, AddressFamily family)
    {
        int length = family == AddressFamily.InterNetworkV6 ? 16 : 4;
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
