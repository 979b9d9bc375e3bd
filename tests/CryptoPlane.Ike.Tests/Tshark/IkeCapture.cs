using System.Buffers.Binary;
using System.Net;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Tshark;

/// <summary>A capture of IKE messages as packets, and what tshark reads in it.</summary>
internal sealed class IkeCapture : IDisposable
{
    private const int Ipv4HeaderSize = 20, UdpHeaderSize = 8;

    private readonly TemporaryDirectory _directory = new();
    private readonly PcapWriter _file;

    public IkeCapture() => _file = new PcapWriter(_directory.File("ike.pcap"));

    /// <summary>Appends a UDP datagram in an IPv4 packet; port 4500 wants the non-ESP marker in it.</summary>
    public void Add(IPEndPoint from, IPEndPoint to, ReadOnlySpan<byte> payload)
    {
        byte[] packet = new byte[Ipv4HeaderSize + UdpHeaderSize + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        (packet[8], packet[9]) = (64, 17);
        from.Address.GetAddressBytes().CopyTo(packet, 12);
        to.Address.GetAddressBytes().CopyTo(packet, 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(20), (ushort)from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(22), (ushort)to.Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), (ushort)(UdpHeaderSize + payload.Length));
        payload.CopyTo(packet.AsSpan(Ipv4HeaderSize + UdpHeaderSize));
        _file.Write(packet);
    }

    /// <summary>A field of every packet, all its occurrences within a packet with ',' between; the file takes no more packets.</summary>
    /// <param name="fields">Names of fields.</param>
    /// <param name="decryption">Lines of Wireshark's ikev2_decryption_table.</param>
    /// <returns>For each packet, its fields in their order.</returns>
    public string[][] Read(IEnumerable<string> fields, IEnumerable<string>? decryption = null)
    {
        _file.Dispose();
        List<string> arguments = ["-n", "-r", _directory.File("ike.pcap"), "-T", "fields", "-E", "separator=;", "-E", "occurrence=a", "-E", "aggregator=,"];
        foreach (string field in fields)
            arguments.AddRange(["-e", field]);
        foreach (string line in decryption ?? [])
            arguments.AddRange(["-o", $"uat:ikev2_decryption_table:{line}"]);
        ProgramResult result = ExternalProgram.Run(Requirement.Program("tshark"), arguments, timeout: TimeSpan.FromMinutes(1)).EnsureSuccess();
        return [.. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(';'))];
    }

    public void Dispose()
    {
        _file.Dispose();
        _directory.Dispose();
    }
}
