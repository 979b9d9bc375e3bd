using CryptoPlane.TestKit;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>The data plane's own traffic tests, once more, in a process in which every lcore seals and opens on a crypto device.</summary>
public sealed class TrafficOnDeviceTests
{
    private static readonly Type[] s_suites =
    [
        typeof(ForwardingTests), typeof(EspForwardingTests), typeof(ConnectionTests), typeof(TwoLcoresTests), typeof(SlowReaderTests),
        typeof(FairnessTests), typeof(SteadyStateTests),
    ];

    [Fact]
    public void Every_traffic_test_passes_on_a_crypto_device()
    {
        DpdkBed.Require();
        Assert.SkipWhen(Environment.GetEnvironmentVariable(DpdkBed.DeviceVariable) != null, "this is the process that works on the device");
        ProgramResult result = ExternalProgram.Run(
            Path.Combine(AppContext.BaseDirectory, "VpnBroker.Tests"),
            ["-noColor", "-noLogo", "-noAutoReporters", "-parallel", "none", .. s_suites.SelectMany(suite => new[] { "-class", suite.FullName! })],
            timeout: TimeSpan.FromMinutes(3),
            environment: new Dictionary<string, string?> { [DpdkBed.DeviceVariable] = DpdkBed.First });
        Assert.True(result.ExitCode == 0, result.AllOutput);
        Assert.Matches(@"Total: [3-9]\d, Errors: 0, Failed: 0, Skipped: 0", result.Output);
    }
}
