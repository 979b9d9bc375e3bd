using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>One direction of a tunnel.</summary>
/// <param name="Spi">The security parameters index.</param>
/// <param name="Secret">The AES key, and the salt behind it (RFC 4106 §8.1).</param>
internal sealed record EspSa(uint Spi, byte[] Secret);

/// <summary>
/// The far end of an ESP tunnel (RFC 4303, tunnel mode, AES-GCM by RFC 4106, extended sequence numbers, IPv4 outside and inside), written for
/// clarity and with the framework's AES-GCM, so that it shares nothing with what is tested. Plain packets on its upper side.
/// </summary>
internal sealed unsafe class EspStation(IPacketPort port, PacketPool pool, IPAddress local, IPAddress remote, EspSa outbound, EspSa inbound) : IPacketPort
{
    private const int OuterHeader = 20, EspHeader = 8, Iv = 8, Tag = 16, Salt = 4;

    private readonly AesGcm _seal = new(outbound.Secret.AsSpan(..^Salt), Tag), _open = new(inbound.Secret.AsSpan(..^Salt), Tag);
    private uint _sequence;

    /// <summary>ESP packets that did not open, and packets that were not ESP.</summary>
    public ulong Refused { get; private set; }

    public int Transmit(PacketBuffer** burst, int count)
    {
        for (int i = 0; i < count; i++)
            Seal(burst[i]);
        return port.Transmit(burst, count);
    }

    public int Receive(PacketBuffer** burst, int capacity)
    {
        int received = port.Receive(burst, capacity), kept = 0;
        for (int i = 0; i < received; i++)
        {
            if (TryOpen(burst[i]))
            {
                burst[kept++] = burst[i];
                continue;
            }
            Refused++;
            pool.Return(burst[i]);
        }
        return kept;
    }

    private void Seal(PacketBuffer* packet)
    {
        int plain = packet->Length, padding = -(plain + 2) & 3, sealedLength = plain + padding + 2;
        Require(packet->TrySetLength(sealedLength + Tag) && packet->TryPrepend(EspHeader + Iv));
        Span<byte> esp = packet->Span;
        Span<byte> body = esp.Slice(EspHeader + Iv, sealedLength);
        for (int i = 0; i < padding; i++)
            body[plain + i] = (byte)(i + 1);
        body[^2] = (byte)padding;
        body[^1] = 4; // an IPv4 packet
        BinaryPrimitives.WriteUInt32BigEndian(esp, outbound.Spi);
        BinaryPrimitives.WriteUInt32BigEndian(esp[4..], ++_sequence);
        BinaryPrimitives.WriteUInt64BigEndian(esp[EspHeader..], _sequence);
        _seal.Encrypt(Nonce(outbound, esp), body, body, esp[^Tag..], Aad(esp));

        Require(packet->TryPrepend(OuterHeader));
        Span<byte> outer = packet->Span;
        outer[..OuterHeader].Clear();
        outer[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(outer[2..], (ushort)outer.Length);
        outer[8] = 64;
        outer[9] = 50;
        local.TryWriteBytes(outer[12..], out _);
        remote.TryWriteBytes(outer[16..], out _);
        NumberedPacket.WriteHeaderChecksum(outer);
    }

    private bool TryOpen(PacketBuffer* packet)
    {
        Span<byte> outer = packet->Span;
        if (outer.Length < OuterHeader + EspHeader + Iv + 4 + Tag || outer[0] != 0x45 || outer[9] != 50)
            return false;
        Span<byte> esp = outer[OuterHeader..];
        if (BinaryPrimitives.ReadUInt32BigEndian(esp) != inbound.Spi)
            return false;
        Span<byte> body = esp[(EspHeader + Iv)..^Tag];
        try
        {
            _open.Decrypt(Nonce(inbound, esp), body, esp[^Tag..], body, Aad(esp));
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        int plain = body.Length - 2 - body[^2];
        return body[^1] == 4 && plain > 0 && packet->TryTrimFront(OuterHeader + EspHeader + Iv) && packet->TrySetLength(plain);
    }

    private static byte[] Nonce(EspSa sa, Span<byte> esp) => [.. sa.Secret.AsSpan(^Salt..), .. esp.Slice(EspHeader, Iv)];

    /// <summary>The SPI and 64 bits of sequence number (RFC 4106 §5), of which no test counts so far that the upper half is not zero.</summary>
    private static byte[] Aad(Span<byte> esp) => [.. esp[..4], 0, 0, 0, 0, .. esp[4..EspHeader]];

    private static void Require(bool fits)
    {
        if (!fits)
            throw new LabFailure("a packet has no room for ESP's headers");
    }
}
