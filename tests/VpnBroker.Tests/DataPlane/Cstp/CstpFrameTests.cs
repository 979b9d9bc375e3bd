using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Cstp;

namespace VpnBroker.Tests.DataPlane.Cstp;

public sealed unsafe class CstpFrameTests
{
    [Fact]
    public void Header_IsTheOneOnTheWire()
    {
        using var frame = new NativeBuffer(CstpFrame.HeaderSize + 0x123);
        CstpFrame.WriteHeader(frame.Pointer, CstpType.DpdResponse, 0x123);
        Assert.Equal("5354460101230400", Convert.ToHexStringLower(frame.Span[..CstpFrame.HeaderSize]));
        Assert.Equal(CstpStatus.Ok, CstpFrame.TryParse(frame.Pointer, frame.Length, out CstpType type));
        Assert.Equal(CstpType.DpdResponse, type);
    }

    [Fact]
    public void EveryTruncationAndExcess_IsRefused()
    {
        byte[] whole = new byte[CstpFrame.HeaderSize + 20];
        fixed (byte* first = whole)
            CstpFrame.WriteHeader(first, CstpType.Data, 20);
        for (int length = 0; length < whole.Length; length++)
        {
            using var cut = new NativeBuffer(whole.AsSpan(0, length), GuardPage.Behind);
            CstpStatus expected = length < CstpFrame.HeaderSize ? CstpStatus.Truncated : CstpStatus.BadLength;
            Assert.Equal(expected, CstpFrame.TryParse(cut.Pointer, cut.Length, out _));
        }
        using var longer = new NativeBuffer([.. whole, 0]);
        Assert.Equal(CstpStatus.BadLength, CstpFrame.TryParse(longer.Pointer, longer.Length, out _));
    }

    [Fact]
    public void EveryWrongHeaderByte_IsRefused()
    {
        byte[] good = [0x53, 0x54, 0x46, 1, 0, 1, 0, 0, 99];
        for (int i = 0; i < CstpFrame.HeaderSize; i++)
        {
            for (int value = 0; value < 256; value++)
            {
                byte[] bad = [.. good];
                if (bad[i] == value)
                    continue;
                bad[i] = (byte)value;
                using var frame = new NativeBuffer(bad, GuardPage.Behind);
                CstpStatus status = CstpFrame.TryParse(frame.Pointer, frame.Length, out CstpType type);
                CstpStatus expected = i switch
                {
                    4 or 5 => CstpStatus.BadLength,
                    6 => value is 3 or 4 or 5 or 7 or 8 or 9 ? CstpStatus.Ok : CstpStatus.UnknownType,
                    _ => CstpStatus.BadHeader,
                };
                Assert.Equal(expected, status);
                if (status == CstpStatus.Ok)
                    Assert.Equal(value, (int)type);
            }
        }
    }

    [Fact]
    public void RandomBytes_AreNeverReadPastTheirEnd()
    {
        var random = new Random(20);
        using var guarded = new NativeBuffer(64, GuardPage.Behind);
        for (int i = 0; i < 100_000; i++)
        {
            int length = random.Next(0, 65);
            Span<byte> frame = guarded.Span[(64 - length)..];
            random.NextBytes(frame);
            // Every second case begins rightly, so that the later checks are reached.
            if (length >= 8 && (i & 1) == 0)
                CstpFrame.WriteHeader(guarded.Pointer + 64 - length, (CstpType)random.Next(0, 10), random.Next(0, 80));
            CstpStatus status = CstpFrame.TryParse(guarded.Pointer + 64 - length, length, out _);
            if (status == CstpStatus.Ok)
                Assert.Equal(length - 8, (frame[4] << 8) | frame[5]);
        }
    }
}
