using System.Buffers.Binary;
using CryptoPlane.IO.Offload;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Offload;

public sealed unsafe class InternetChecksumTests
{
    /// <summary>The worked example of RFC 1071 §3.</summary>
    [Fact]
    public void Rfc1071_example()
    {
        using var buffer = new NativeBuffer((ReadOnlySpan<byte>)[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
        ushort folded = InternetChecksum.Fold(InternetChecksum.Sum(buffer.Pointer, 8));
        Assert.Equal(0xddf2, BinaryPrimitives.ReverseEndianness(folded));
    }

    [Fact]
    public void Every_length_agrees_with_the_slow_sum_and_nothing_behind_is_read()
    {
        var random = new Random(1);
        for (int length = 0; length <= 700; length++)
        {
            using var buffer = new NativeBuffer(length, GuardPage.Behind);
            random.NextBytes(buffer.Span);
            ushort expected = ModelPacket.OnesSum(buffer.Span);
            ushort actual = BinaryPrimitives.ReverseEndianness(InternetChecksum.Fold(InternetChecksum.Sum(buffer.Pointer, length)));
            // 0 and 0xFFFF are the same number in ones' complement.
            Assert.Equal(expected % 0xFFFF, actual % 0xFFFF);
        }
    }

    [Fact]
    public void The_longest_packet_of_ones_does_not_overflow()
    {
        using var buffer = new NativeBuffer(65_535);
        buffer.Span.Fill(0xFF);
        ushort actual = BinaryPrimitives.ReverseEndianness(InternetChecksum.Fold(InternetChecksum.Sum(buffer.Pointer, 65_535)));
        Assert.Equal(ModelPacket.OnesSum(buffer.Span) % 0xFFFF, actual % 0xFFFF);
    }
}
