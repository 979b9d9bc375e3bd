using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>The owner of many SAs learns which of them have passed a lifetime without looking at all of them.</summary>
public sealed unsafe class LifetimeNoticeTests
{
    private static readonly byte[] s_inner = InnerPackets.IPv4(100);

    [Fact]
    public void An_SA_tells_of_its_soft_and_of_its_hard_lifetime_once_each()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop(
            outboundLifetime: new SaLifetime { SoftPackets = 2, HardPackets = 5 }, inboundLifetime: new SaLifetime { SoftBytes = 300, HardBytes = 400 });
        var outbound = (OutboundSa*)o;
        var inbound = (InboundSa*)i;
        List<string> told = [];
        for (int packet = 1; packet <= 8; packet++)
        {
            byte[]? wire = bed.TrySeal(outbound, s_inner, out _);
            if (wire != null)
                bed.Open(wire);
            while (bed.Sad.TryTakeNotice(out SaNotice notice))
            {
                Assert.True(notice.Inbound == null ? notice.Outbound == outbound : notice.Inbound == inbound && notice.Outbound == null);
                told.Add($"{packet} {(notice.Inbound != null ? "in" : "out")} {(notice.IsHard ? "hard" : "soft")}");
            }
        }
        Assert.Equal(["3 out soft", "4 in soft", "5 in hard", "6 out hard"], told);
        Assert.True(outbound->HardLifetimeReached && inbound->HardLifetimeReached);
    }

    [Fact]
    public void What_passes_both_limits_before_the_owner_looks_is_told_once()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outboundLifetime: new SaLifetime { SoftPackets = 1, HardPackets = 2 });
        for (int i = 0; i < 4; i++)
            bed.TrySeal((OutboundSa*)o, s_inner, out _);
        Assert.True(bed.Sad.TryTakeNotice(out SaNotice notice));
        Assert.True(notice.IsHard);
        Assert.False(bed.Sad.TryTakeNotice(out _));
    }

    /// <summary>RFC 4303 §3.3.3: the number must not cycle, so there must be time for a new SA.</summary>
    [Theory]
    [InlineData(false, uint.MaxValue)]
    [InlineData(true, ulong.MaxValue)]
    public void The_end_of_the_sequence_numbers_is_told_in_time_whatever_the_limits_are(bool esn, ulong last)
    {
        using var bed = new EspTestBed();
        ulong warning = last - (last / 16);
        OutboundSa* near = Add(warning - 1), end = Add(last);
        bed.Seal(near, s_inner);
        bed.Seal(near, s_inner);
        Assert.Equal(warning, near->Sequence);
        Assert.False(bed.Sad.TryTakeNotice(out _));
        bed.Seal(near, s_inner);
        Assert.True(bed.Sad.TryTakeNotice(out SaNotice notice));
        Assert.True(notice.Outbound == near && !notice.IsHard);

        bed.Seal(end, s_inner);
        Assert.Null(bed.TrySeal(end, s_inner, out EspStatus status));
        Assert.Equal(EspStatus.SequenceExhausted, status);
        Assert.True(bed.Sad.TryTakeNotice(out notice));
        Assert.True(notice.Outbound == end && notice.IsHard);
        Assert.Null(bed.TrySeal(end, s_inner, out _));
        Assert.False(bed.Sad.TryTakeNotice(out _));

        OutboundSa* Add(ulong first) => bed.AddOutbound(
            new OutboundSaParameters { Spi = 300, Algorithm = AeadAlgorithm.Aes128Gcm, ExtendedSequenceNumbers = esn, FirstSequence = first },
            EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
    }

    [Fact]
    public void Many_SAs_tell_each_and_a_removed_one_tells_nothing()
    {
        const int count = 40;
        using var bed = new EspTestBed();
        var loops = new (nint Out, nint In)[count];
        var limit = new SaLifetime { SoftPackets = 1 };
        for (int i = 0; i < count; i++)
        {
            loops[i] = bed.AddLoop(low24: (uint)(i + 1), outboundLifetime: limit, inboundLifetime: limit);
            for (int packet = 0; packet < 2; packet++)
                Assert.NotNull(bed.Open(bed.Seal((OutboundSa*)loops[i].Out, s_inner)).Inner);
        }
        HashSet<nint> left = [.. loops.SelectMany(loop => new[] { loop.Out, loop.In })];
        // The first and the last of the list, and some between.
        foreach (int i in (int[])[0, 7, 8, 20, count - 1])
        {
            Assert.True(left.Remove(loops[i].In) && left.Remove(loops[i].Out));
            Assert.True(bed.Sad.Remove((InboundSa*)loops[i].In));
            bed.Sad.Remove((OutboundSa*)loops[i].Out);
        }
        while (bed.Sad.TryTakeNotice(out SaNotice notice))
            Assert.True(left.Remove(notice.Inbound != null ? (nint)notice.Inbound : (nint)notice.Outbound));
        Assert.Empty(left);
    }
}
