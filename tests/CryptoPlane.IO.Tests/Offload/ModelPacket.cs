using System.Buffers.Binary;

namespace CryptoPlane.IO.Tests.Offload;

/// <summary>
/// IP packets as a slow, obvious model builds and cuts them: the oracle for the code under test, with which it shares nothing.
/// </summary>
internal sealed record ModelPacket
{
    public bool IPv6 { get; init; }

    public bool Tcp { get; init; } = true;

    public byte[] Source { get; init; } = [10, 1, 0, 1];

    public byte[] Destination { get; init; } = [10, 2, 0, 2];

    public ushort SourcePort { get; init; } = 1000;

    public ushort DestinationPort { get; init; } = 80;

    public uint Sequence { get; init; } = 1;

    public uint Acknowledgement { get; init; } = 77;

    public byte Flags { get; init; } = 0x10;

    public ushort Window { get; init; } = 500;

    public byte[] TcpOptions { get; init; } = [];

    public byte[] IPv4Options { get; init; } = [];

    /// <summary>Extension headers as bytes, each beginning with its next-header field; the last one says TCP or UDP.</summary>
    public byte[] IPv6Extensions { get; init; } = [];

    public byte FirstExtension { get; init; }

    public byte TrafficClass { get; init; }

    public byte HopLimit { get; init; } = 64;

    public ushort Identification { get; init; }

    public bool DontFragment { get; init; } = true;

    public byte[] Payload { get; init; } = [];

    public int TransportOffset => IPv6 ? 40 + IPv6Extensions.Length : 20 + IPv4Options.Length;

    public int HeaderLength => TransportOffset + (Tcp ? 20 + TcpOptions.Length : 8);

    /// <summary>The packet's bytes, all checksums right.</summary>
    public byte[] Build()
    {
        byte[] packet = new byte[HeaderLength + Payload.Length];
        byte protocol = Tcp ? (byte)6 : (byte)17;
        if (IPv6)
        {
            packet[0] = (byte)(0x60 | (TrafficClass >> 4));
            packet[1] = (byte)(TrafficClass << 4);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(packet.Length - 40));
            packet[6] = IPv6Extensions.Length > 0 ? FirstExtension : protocol;
            packet[7] = HopLimit;
            Source.CopyTo(packet, 8);
            Destination.CopyTo(packet, 24);
            IPv6Extensions.CopyTo(packet, 40);
        }
        else
        {
            packet[0] = (byte)(0x40 | (TransportOffset / 4));
            packet[1] = TrafficClass;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), Identification);
            packet[6] = DontFragment ? (byte)0x40 : (byte)0;
            packet[8] = HopLimit;
            packet[9] = protocol;
            Source.CopyTo(packet, 12);
            Destination.CopyTo(packet, 16);
            IPv4Options.CopyTo(packet, 20);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), (ushort)~OnesSum(packet.AsSpan(0, TransportOffset)));
        }
        Span<byte> transport = packet.AsSpan(TransportOffset);
        BinaryPrimitives.WriteUInt16BigEndian(transport, SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], DestinationPort);
        if (Tcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], Sequence);
            BinaryPrimitives.WriteUInt32BigEndian(transport[8..], Acknowledgement);
            transport[12] = (byte)((20 + TcpOptions.Length) / 4 << 4);
            transport[13] = Flags;
            BinaryPrimitives.WriteUInt16BigEndian(transport[14..], Window);
            TcpOptions.CopyTo(transport[20..]);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }
        Payload.CopyTo(packet, HeaderLength);
        int field = Tcp ? 16 : 6;
        ushort checksum = (ushort)~OnesSum([.. PseudoHeader(transport.Length), .. transport]);
        BinaryPrimitives.WriteUInt16BigEndian(transport[field..], checksum == 0 && !Tcp ? (ushort)0xFFFF : checksum);
        return packet;
    }

    /// <summary>As <see cref="Build"/>, but with the checksum unfinished, as the kernel gives it to a device that offloads it.</summary>
    public byte[] BuildPartial()
    {
        byte[] packet = Build();
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(TransportOffset + (Tcp ? 16 : 6)), OnesSum(PseudoHeader(packet.Length - TransportOffset)));
        return packet;
    }

    /// <summary>The packets that a network card makes of this one.</summary>
    public IEnumerable<ModelPacket> Cut(int segmentSize)
    {
        for (int offset = 0, index = 0; offset < Payload.Length; offset += segmentSize, index++)
        {
            bool last = offset + segmentSize >= Payload.Length;
            byte flags = Flags;
            if (!last)
                flags &= 0xF6;
            if (index > 0)
                flags &= 0x7F;
            yield return this with
            {
                Sequence = unchecked(Sequence + (uint)offset),
                Flags = flags,
                Identification = unchecked((ushort)(Identification + index)),
                Payload = Payload[offset..Math.Min(Payload.Length, offset + segmentSize)],
            };
        }
    }

    public static ushort OnesSum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i++)
        {
            sum += (uint)data[i] << (i % 2 == 0 ? 8 : 0);
            if (sum > 0xFFFF)
                sum -= 0xFFFF;
        }
        return (ushort)sum;
    }

    private byte[] PseudoHeader(int length) =>
        [.. Source, .. Destination, 0, Tcp ? (byte)6 : (byte)17, (byte)(length >> 8), (byte)length];
}
