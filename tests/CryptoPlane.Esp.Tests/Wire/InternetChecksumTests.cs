using System.Buffers.Binary;
using CryptoPlane.Esp.Wire;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Wire;

public sealed unsafe class InternetChecksumTests
{
    [Fact]
    public void Every_length_agrees_with_the_plain_sum_and_reads_no_further()
    {
        var random = new Random(1);
        for (int length = 0; length < 300; length++)
        {
            byte[] data = new byte[length];
            random.NextBytes(data);
            if (length % 3 == 0)
                data.AsSpan().Fill(0xFF);
            using var buffer = new NativeBuffer(data, GuardPage.Behind);
            ushort checksum = InternetChecksum.Finish(InternetChecksum.Add(0, buffer.Pointer, length));
            Assert.Equal(InnerPackets.Checksum(data), NetworkOrder.From(checksum));
        }
    }

    [Fact]
    public void An_update_equals_a_new_sum()
    {
        var random = new Random(2);
        byte[] header = new byte[20];
        for (int i = 0; i < 100_000; i++)
        {
            random.NextBytes(header);
            header[10] = header[11] = 0;
            ushort checksum = NetworkOrder.From(InnerPackets.Checksum(header));
            ushort before = BitConverter.ToUInt16(header, 0);
            header[1] ^= (byte)random.Next(256);
            ushort after = BitConverter.ToUInt16(header, 0);
            ushort updated = InternetChecksum.Update(checksum, before, after);
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), NetworkOrder.From(updated));
            Assert.Equal(0, InnerPackets.Checksum(header));
        }
    }
}
