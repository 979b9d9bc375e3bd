using CryptoPlane.Lcores;

namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class EalTests
{
    [Fact]
    public void There_is_one_eal_per_process_and_it_leaves_the_affinity_of_its_caller_alone()
    {
        CpuSet before = CpuSet.OfCurrentThread();
        DpdkTestBed.Require();
        Assert.Equal(before, CpuSet.OfCurrentThread());
        Assert.True(Eal.IsInitialized);
        Assert.StartsWith("DPDK ", Eal.Version, StringComparison.Ordinal);
        var error = Assert.Throws<InvalidOperationException>(() => Eal.Initialize(new EalOptions()));
        Assert.Contains("once per process", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Packet_memory_is_zeroed_aligned_and_given_back()
    {
        DpdkTestBed.Require();
        var memory = new DpdkPacketMemory();
        for (int round = 0; round < 3; round++)
        {
            byte* block = memory.Allocate(1 << 20, 4096);
            Assert.Equal(0u, (nuint)block % 4096);
            Assert.False(new ReadOnlySpan<byte>(block, 1 << 20).ContainsAnyExcept((byte)0));
            new Span<byte>(block, 1 << 20).Fill(0xAA);
            memory.Free(block, 1 << 20);
        }
        var error = Assert.Throws<OutOfMemoryException>(() => (nint)memory.Allocate((nuint)1 << 40, 64));
        Assert.Contains("EalOptions.MemoryMegabytes", error.Message, StringComparison.Ordinal);
    }
}
