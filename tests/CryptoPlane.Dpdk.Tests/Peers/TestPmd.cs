using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>DPDK's own dpdk-testpmd, which carries frames between pairs of ports.</summary>
internal sealed class TestPmd : IDisposable
{
    private readonly ExternalProgram _program;

    /// <summary>Starts it on ordinary pages. That it forwards is seen by the frames: it does not flush what it says.</summary>
    /// <param name="devices">An even number of devices with their arguments.</param>
    public TestPmd(params string[] devices)
    {
        string program = Requirement.Program("dpdk-testpmd", "dpdk-dev");
        _program = ExternalProgram.Start(program,
        [
            "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "128", .. devices.SelectMany(device => new[] { "--vdev", device }),
            "--", "--forward-mode=io", "--auto-start", "--total-num-mbufs=8192",
        ]);
    }

    /// <summary>Ends it in order.</summary>
    public void Finish()
    {
        _program.Write("\n");
        _program.WaitForExit().EnsureSuccess();
    }

    public void Dispose() => _program.Dispose();
}
