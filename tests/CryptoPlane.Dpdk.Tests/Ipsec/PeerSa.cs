using System.Buffers.Binary;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>What became of a packet that the peer was given: the numbers of <c>peer.h</c>.</summary>
public enum PeerOutcome : byte
{
    /// <summary>Sealed or opened.</summary>
    Done = 0,

    /// <summary>The outer header has errors, or is not that of the SA's tunnel.</summary>
    OuterHeader = 1,

    /// <summary>Refused by librte_ipsec before the cryptography: the anti-replay window, the sequence number, a length.</summary>
    Prepare = 2,

    /// <summary>The ICV is wrong.</summary>
    Crypto = 3,

    /// <summary>Refused by librte_ipsec afterwards: the window again, or the padding or next header.</summary>
    Process = 4,
}

/// <summary>A packet that the peer gave back.</summary>
internal readonly record struct PeerPacket(PeerOutcome Outcome, byte[] Bytes);

/// <summary>One direction of a tunnel at the peer.</summary>
internal sealed class PeerSa : IDisposable
{
    private readonly IpsecPeer _peer;
    private readonly int _number;

    /// <param name="peer">The process.</param>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="opens">Whether the peer opens what comes by the SA, or seals.</param>
    /// <param name="sequence">The first that it uses; or, where it opens, the highest that counts as received.</param>
    public PeerSa(IpsecPeer peer, EspTunnel tunnel, bool opens, ulong sequence)
    {
        _peer = peer;
        _number = BinaryPrimitives.ReadInt32LittleEndian(peer.Ask(IpsecPeer.Request.AddSa, tunnel.PeerRequest(opens, sequence)));
        Assert.True(_number >= 0, $"The peer refuses {tunnel}: error {-_number}.");
    }

    /// <summary>Seals or opens packets, in bursts of as many as a request can have.</summary>
    public List<PeerPacket> Process(IReadOnlyList<byte[]> packets)
    {
        var results = new List<PeerPacket>(packets.Count);
        foreach (byte[][] burst in packets.Chunk(IpsecPeer.MaxPackets))
            Process(burst, results);
        return results;
    }

    public void Dispose()
    {
        byte[] number = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, _number);
        _peer.Ask(IpsecPeer.Request.RemoveSa, number);
    }

    private void Process(byte[][] burst, List<PeerPacket> results)
    {
        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content);
        writer.Write(_number);
        writer.Write((ushort)burst.Length);
        foreach (byte[] packet in burst)
        {
            writer.Write(checked((ushort)packet.Length));
            writer.Write(packet);
        }
        using var reader = new BinaryReader(new MemoryStream(_peer.Ask(IpsecPeer.Request.Process, content.ToArray())));
        for (int i = 0; i < burst.Length; i++)
        {
            var outcome = (PeerOutcome)reader.ReadByte();
            results.Add(new PeerPacket(outcome, reader.ReadBytes(reader.ReadUInt16())));
        }
        Assert.Equal(reader.BaseStream.Length, reader.BaseStream.Position);
    }
}
