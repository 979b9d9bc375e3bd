using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO.Datagram;

/// <summary>struct sockaddr_in or sockaddr_in6, as the kernel reads and writes them.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct KernelAddress
{
    /// <summary>Size of the larger of the two.</summary>
    public const int Size = 28;

    private const int IPv4Size = 16;

    [FieldOffset(0)] private ushort _family;

    /// <summary>Network order.</summary>
    [FieldOffset(2)] private ushort _port;

    [FieldOffset(4)] private fixed byte _ipv4[4];
    [FieldOffset(8)] private fixed byte _ipv6[16];
    [FieldOffset(24)] private uint _scope;

    /// <summary>Bytes that the kernel is to read.</summary>
    public readonly uint Length => _family == Libc.AF_INET ? IPv4Size : (uint)Size;

    /// <summary>
    /// Writes the kernel's form of an endpoint; without the port for raw sockets, which have none and refuse an IPv6 address with one.
    /// </summary>
    /// <returns>False if the endpoint holds no address.</returns>
    public static bool TryFrom(in PacketEndpoint endpoint, KernelAddress* address, bool withPort = true)
    {
        *address = default;
        address->_port = withPort ? BinaryPrimitives.ReverseEndianness(endpoint.Port) : (ushort)0;
        fixed (byte* source = endpoint.Address)
        {
            switch (endpoint.IpVersion)
            {
                case 4:
                    address->_family = Libc.AF_INET;
                    *(uint*)address->_ipv4 = *(uint*)source;
                    return true;
                case 6:
                    address->_family = Libc.AF_INET6;
                    *(Int128*)address->_ipv6 = *(Int128*)source;
                    address->_scope = endpoint.ScopeId;
                    return true;
                default:
                    return false;
            }
        }
    }

    /// <summary>Writes the library's form of what the kernel gave.</summary>
    public readonly void Write(PacketEndpoint* endpoint)
    {
        *endpoint = default;
        endpoint->Port = BinaryPrimitives.ReverseEndianness(_port);
        // Sound: both fixed buffers lie inside this struct, and the endpoint has room for the longer address.
        fixed (byte* ipv4 = _ipv4, ipv6 = _ipv6)
        {
            if (_family == Libc.AF_INET)
            {
                endpoint->IpVersion = 4;
                *(uint*)endpoint->Address = *(uint*)ipv4;
            }
            else if (_family == Libc.AF_INET6)
            {
                endpoint->IpVersion = 6;
                endpoint->ScopeId = _scope;
                *(Int128*)endpoint->Address = *(Int128*)ipv6;
            }
        }
    }
}
