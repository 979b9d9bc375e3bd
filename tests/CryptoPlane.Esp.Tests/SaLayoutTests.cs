using System.Runtime.CompilerServices;
using CryptoPlane.Aead;
using CryptoPlane.Esp.Selectors;

namespace CryptoPlane.Esp.Tests;

/// <summary>What one packet touches of an SA lies in as few cache lines as docs/esp.md says.</summary>
public sealed unsafe class SaLayoutTests
{
    private const int CacheLine = 64, LinePair = 128;

    [Fact]
    public void The_parts_of_an_SA_fill_whole_cache_lines()
    {
        Assert.Equal(2 * CacheLine, Unsafe.SizeOf<InboundSa>());
        Assert.Equal(CacheLine, Unsafe.SizeOf<SelectorLine>());
        Assert.Equal(2 * CacheLine, Unsafe.SizeOf<OutboundSa>());
        Assert.Equal(20, Unsafe.SizeOf<AntiReplayWindow>());
        Assert.Equal(4 * CacheLine, Unsafe.SizeOf<InboundSaCold>());
        Assert.Equal(5 * CacheLine, Unsafe.SizeOf<OutboundSaCold>());
        Assert.Equal(3 * CacheLine, Unsafe.SizeOf<EspCounters>());
        Assert.True(Enum.GetValues<EspDropReason>().All(reason => (int)reason < EspCounters.Slots));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_SA_begins_on_a_pair_of_lines_and_its_cold_part_on_a_line_of_its_own(bool inArena)
    {
        using var arena = new SaArena(3, 3);
        using var bed = new EspTestBed();
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);
        for (uint spi = 300; spi < 303; spi++)
        {
            var outbound = OutboundSa.Create(
                new OutboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm }, material, inArena ? arena : null);
            var inbound = InboundSa.Create(
                new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm, ReplayWindow = 1024 }, material, inArena ? arena : null);
            Assert.Equal(0, (nint)outbound % LinePair);
            Assert.Equal(0, (nint)inbound % LinePair);

            // A sealed packet writes the first line and reads the second, which is the outer header's.
            Assert.Equal(CacheLine, Offset(outbound, &outbound->Outer));
            Assert.True(Offset(outbound, &outbound->InFlight) < CacheLine);
            Assert.Equal(2 * CacheLine, Offset(outbound, outbound->Cold));

            // An opened one writes the first line and one word of the bitmap, and reads the second line if the SA has selectors.
            Assert.True(Offset(inbound, &inbound->Window) + sizeof(AntiReplayWindow) <= CacheLine);
            Assert.True(Offset(inbound, &inbound->InFlight) < CacheLine);
            Assert.True(Offset(inbound, &inbound->SelectorKind) < CacheLine);
            Assert.Equal(CacheLine, Offset(inbound, &inbound->Selectors));
            Assert.Equal(2 * CacheLine, Offset(inbound, inbound->Window.Ring));
            Assert.Equal((2 * CacheLine) + 256, Offset(inbound, inbound->Cold));
            OutboundSa.Free(outbound, bed.Engine);
            InboundSa.Free(inbound, bed.Engine);
        }
    }

    private static nint Offset(void* sa, void* part) => (nint)part - (nint)sa;
}
