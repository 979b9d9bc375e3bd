using CryptoPlane.Aead.Dispatch;

namespace CryptoPlane.Tests.Aead.Dispatch;

public sealed class DispatchPolicyTests
{
    private const uint Length = 1408;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(16, 1)]
    [InlineData(17, 2)]
    [InlineData(48, 2)]
    [InlineData(49, 3)]
    [InlineData(1408, 7)]
    [InlineData(16_384, 11)]
    [InlineData(int.MaxValue, 28)]
    public void Lengths_are_classed_by_powers_of_two_of_blocks(uint length, int expected) => Assert.Equal(expected, DispatchPolicy.ClassOf(length));

    [Fact]
    public void Both_sides_are_tried_and_then_the_cheaper_one_is_taken()
    {
        var policy = new DispatchPolicy(new DispatchOptions());
        Assert.True(policy.PrefersDevice(Length));
        policy.MeasuredSubmission(7, 32, 32 * 50);
        policy.MeasuredCollection(32, 32 * 30);
        Assert.False(policy.PrefersDevice(Length));
        policy.MeasuredCpu(7, 32, 32 * 400);
        Assert.Equal((400, 80), policy.CostOf(7));
        Assert.True(policy.PrefersDevice(Length));
        Assert.True(policy.PrefersDevice(16), "a class that was not measured is tried");
    }

    [Fact]
    public void A_preferred_device_gets_everything_but_short_messages_whatever_it_costs()
    {
        var policy = new DispatchPolicy(new DispatchOptions { PreferDevice = true, MinimumLength = 64 });
        policy.MeasuredSubmission(7, 1, 500);
        policy.MeasuredCpu(7, 1, 4);
        for (int burst = 0; burst < 2048; burst++)
            Assert.True(policy.PrefersDevice(Length));
        Assert.False(policy.PrefersDevice(63));
    }

    [Fact]
    public void What_is_dearer_is_probed_now_and_then_and_taken_when_it_has_become_cheaper()
    {
        var policy = new DispatchPolicy(new DispatchOptions { ProbeInterval = 64 });
        policy.MeasuredSubmission(7, 1, 500);
        policy.MeasuredCpu(7, 1, 400);
        int device = Enumerable.Range(0, 640).Count(_ => policy.PrefersDevice(Length));
        Assert.Equal(10, device);
        // The device has become cheaper: its probes show it.
        for (int i = 0; i < 8; i++)
            policy.MeasuredSubmission(7, 1, 100);
        Assert.True(policy.PrefersDevice(Length));
    }

    [Fact]
    public void An_interruption_while_the_cpu_is_measured_does_not_make_a_dearer_device_the_choice()
    {
        var policy = new DispatchPolicy(new DispatchOptions());
        policy.MeasuredSubmission(7, 1, 500);
        policy.MeasuredCpu(7, 1, 400);
        policy.MeasuredCpu(7, 1, 4_000_000);
        Assert.False(policy.PrefersDevice(Length));
        // And a first measurement that was interrupted is forgotten soon.
        policy.MeasuredCpu(6, 1, 4_000_000);
        for (int i = 0; i < 40; i++)
            policy.MeasuredCpu(6, 1, 400);
        Assert.InRange(policy.CostOf(6).Cpu, 400, 500);
    }

    [Fact]
    public void One_burst_in_four_is_measured_and_every_probe()
    {
        var policy = new DispatchPolicy(new DispatchOptions { ProbeInterval = 64 });
        policy.MeasuredSubmission(7, 1, 500);
        policy.MeasuredCpu(7, 1, 400);
        int measured = 0;
        for (int burst = 0; burst < 640; burst++)
        {
            bool isProbe = policy.PrefersDevice(Length);
            Assert.True(policy.Measures || !isProbe);
            measured += policy.Measures ? 1 : 0;
        }
        Assert.Equal((640 / 4) + (640 / 64), measured);
    }

    [Fact]
    public void Short_messages_stay_where_the_options_say()
    {
        var policy = new DispatchPolicy(new DispatchOptions { MinimumLength = 512 });
        Assert.False(policy.PrefersDevice(511));
        Assert.True(policy.PrefersDevice(512));
    }
}
