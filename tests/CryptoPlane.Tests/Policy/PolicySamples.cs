using System.Net;
using CryptoPlane.Policy;

namespace CryptoPlane.Tests.Policy;

/// <summary>Random rules and queries out of a small world, so that they meet: few networks, users, ports and kinds, and the edges of each.</summary>
internal sealed class PolicySamples(int seed)
{
    private static readonly string[] s_users = ["alice", "bob", "carol", "dave"];
    private static readonly string[] s_groups = ["staff", "guests", "admins"];
    private static readonly byte[] s_protocols = [1, 6, 17, 47, 58, 132];
    private static readonly ushort[] s_ports = [0, 1, 22, 53, 80, 443, 444, 8080, 65534, 65535];

    private readonly Random _random = new(seed);

    public static IReadOnlyDictionary<uint, PolicySubject> Subjects { get; } = new Dictionary<uint, PolicySubject>
    {
        [1] = new("alice", ["staff"]),
        [2] = new("bob", ["staff", "admins"]),
        [3] = new("carol", []),
        [1023] = new("dave", ["guests"]),
        [1024] = new("eve", ["guests", "nobody"]),
        [PolicySnapshot.MaximumSubjects - 1] = new("frank", ["admins"]),
    };

    public int Next(int below) => _random.Next(below);

    public PolicyRule[] Rules(int count) => [.. Enumerable.Range(1, count).Select(id => Rule((uint)id))];

    public PolicyRule Rule(uint id) => new()
    {
        Id = id,
        Name = $"rule {id}",
        Action = (PolicyAction)_random.Next(3),
        Users = Some(s_users, 3),
        Groups = Some(s_groups, 3),
        From = Many(3, Prefix),
        To = Many(3, Prefix),
        Protocols = Some(s_protocols, 2),
        SourcePorts = _random.Next(4) == 0 ? Many(2, Ports) : [],
        Ports = _random.Next(2) == 0 ? Many(2, Ports) : [],
        IngressKinds = _random.Next(3) == 0 ? 1u << _random.Next(5) : 0,
        EgressKinds = _random.Next(3) == 0 ? (uint)_random.Next(1, 64) : 0,
        TrafficClass = (byte)_random.Next(8),
        Log = _random.Next(2) == 0,
    };

    public PolicyQuery Query()
    {
        bool isIPv6 = _random.Next(2) == 0;
        (ulong sourceHigh, ulong sourceLow) = Address(isIPv6);
        (ulong destinationHigh, ulong destinationLow) = Address(isIPv6);
        uint[] subjects = [0, 0, .. Subjects.Keys, 77, 500_000, PolicySnapshot.MaximumSubjects, PolicyQuery.UnknownSubject];
        return new PolicyQuery
        {
            SourceHigh = sourceHigh,
            SourceLow = sourceLow,
            DestinationHigh = destinationHigh,
            DestinationLow = destinationLow,
            Subject = subjects[_random.Next(subjects.Length)],
            SourcePort = Port(),
            DestinationPort = Port(),
            Protocol = s_protocols[_random.Next(s_protocols.Length)],
            Ingress = (byte)_random.Next(6),
            Egress = (byte)_random.Next(6),
            IsIPv6 = isIPv6,
            HasProtocol = _random.Next(8) != 0,
            HasPorts = _random.Next(4) != 0,
        };
    }

    private ushort Port() => s_ports[_random.Next(s_ports.Length)];

    private PolicyPortRange Ports()
    {
        ushort first = Port(), last = Port();
        return first <= last ? new PolicyPortRange(first, last) : new PolicyPortRange(last, first);
    }

    /// <summary>Addresses of two networks and their neighbours, of the ends of the space, and mapped ones.</summary>
    private (ulong High, ulong Low) Address(bool isIPv6)
    {
        uint host = (uint)(_random.Next(4) * 64 + (_random.Next(2) * 63));
        uint ipv4 = _random.Next(8) switch { 0 => 0, 1 => uint.MaxValue, 2 => 0x0A14_0000 | host, _ => 0x0A14_0100 | host };
        if (!isIPv6)
            return (_random.Next(2) == 0 ? 0UL : ulong.MaxValue, ipv4 | ((ulong)_random.Next(2) << 40));
        return _random.Next(8) switch
        {
            0 => (0, 0),
            1 => (ulong.MaxValue, ulong.MaxValue),
            2 => (0, 0xFFFF_0000_0000UL + ipv4),
            _ => (0xFD00_0020_0000_0000UL + (uint)_random.Next(2), host),
        };
    }

    private IPNetwork Prefix()
    {
        bool isIPv6 = _random.Next(2) == 0;
        (ulong high, ulong low) = Address(isIPv6);
        int length = isIPv6 ? _random.Next(4) switch { 0 => 0, 1 => 64, 2 => 122, _ => _random.Next(129) } : _random.Next(4) switch { 0 => 0, 1 => 24, 2 => 26, _ => _random.Next(33) };
        byte[] bytes = new byte[isIPv6 ? 16 : 4];
        for (int bit = 0; bit < length; bit++)
        {
            int place = (bytes.Length * 8) - 1 - bit;
            bool set = place >= 64 ? (high >> (place - 64) & 1) != 0 : (low >> place & 1) != 0;
            if (set)
                bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }
        return new IPNetwork(new IPAddress(bytes), length);
    }

    private T[] Many<T>(int most, Func<T> make) => _random.Next(3) == 0 ? [] : [.. Enumerable.Range(0, _random.Next(1, most + 1)).Select(_ => make())];

    private T[] Some<T>(T[] of, int oneIn) => _random.Next(oneIn) != 0 ? [] : [.. of.Where(_ => _random.Next(2) == 0)];
}
