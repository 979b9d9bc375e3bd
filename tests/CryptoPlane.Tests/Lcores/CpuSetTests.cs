using CryptoPlane.Lcores;

namespace CryptoPlane.Tests.Lcores;

public sealed class CpuSetTests
{
    [Theory]
    [InlineData("0", 1, "0")]
    [InlineData("0-3,8", 5, "0-3,8")]
    [InlineData(" 7 , 5-6", 3, "5-7")]
    [InlineData("1023", 1, "1023")]
    public void Lists_are_read_and_written(string text, int count, string written)
    {
        Assert.True(CpuSet.TryParse(text, out CpuSet set));
        Assert.Equal(count, set.Count);
        Assert.Equal(written, set.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("3-1")]
    [InlineData("1024")]
    [InlineData("-1")]
    [InlineData("1,,2")]
    [InlineData("0-1-2")]
    public void Other_texts_are_refused(string? text) => Assert.False(CpuSet.TryParse(text, out _));

    [Fact]
    public void The_process_may_use_at_least_one_cpu()
    {
        CpuSet set = CpuSet.OfProcess();
        Assert.InRange(set.Count, 1, CpuSet.MaximumCpus);
        Assert.True(set.Contains(set[0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => set[set.Count]);
    }
}
