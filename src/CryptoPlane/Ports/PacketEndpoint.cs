using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CryptoPlane.Ports;

/// <summary>
/// An IP address and a port in 24 unmanaged bytes: what a datagram port notes about a packet's peer, at the beginning of
/// <see cref="Buffers.PacketBuffer.Scratch"/>.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct PacketEndpoint : IEquatable<PacketEndpoint>
{
    /// <summary>Size of the struct; the rest of a buffer's scratch is free.</summary>
    public const int SizeInBytes = 24;

    /// <summary>4 or 6; 0 for no address.</summary>
    [FieldOffset(0)] public byte IpVersion;

    /// <summary>UDP or TCP port, host order; 0 where there is none.</summary>
    [FieldOffset(2)] public ushort Port;

    /// <summary>IPv6 scope (interface index); 0 elsewhere.</summary>
    [FieldOffset(4)] public uint ScopeId;

    /// <summary>4 or 16 bytes, network order, then zeros.</summary>
    [FieldOffset(8)] public fixed byte Address[16];

    /// <summary>Converts the framework's form.</summary>
    public static PacketEndpoint From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        var result = new PacketEndpoint
        {
            IpVersion = (byte)(endPoint.AddressFamily == AddressFamily.InterNetwork ? 4 : 6),
            Port = (ushort)endPoint.Port,
            ScopeId = endPoint.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)endPoint.Address.ScopeId : 0,
        };
        endPoint.Address.TryWriteBytes(new Span<byte>(result.Address, 16), out _);
        return result;
    }

    /// <summary>Converts to the framework's form; allocates, so control paths only.</summary>
    public readonly IPEndPoint ToIPEndPoint()
    {
        fixed (byte* address = Address)
        {
            var bytes = new ReadOnlySpan<byte>(address, IpVersion == 4 ? 4 : 16);
            return new IPEndPoint(IpVersion == 4 ? new IPAddress(bytes) : new IPAddress(bytes, ScopeId), Port);
        }
    }

    /// <inheritdoc/>
    public readonly bool Equals(PacketEndpoint other) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<PacketEndpoint>(in this))
            .SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<PacketEndpoint>(in other)));

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is PacketEndpoint other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => ToIPEndPoint().GetHashCode();

    /// <summary>Field-wise equality.</summary>
    public static bool operator ==(PacketEndpoint left, PacketEndpoint right) => left.Equals(right);

    /// <summary>Field-wise inequality.</summary>
    public static bool operator !=(PacketEndpoint left, PacketEndpoint right) => !left.Equals(right);

    /// <summary>The address and port as text; allocates, so control paths only.</summary>
    public override readonly string ToString() => IpVersion == 0 ? "none" : ToIPEndPoint().ToString();
}
