using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>DPDK's own dpdk-testpmd, which carries frames between pairs of ports.</summary>
internal sealed class TestPmd : IDisposable
{
    private readonly ExternalProgram _program;

    /// <summary>Starts it on ordinary pages, with its prompt and by the line, so that it can be told to stop and says when it has.</summary>
    /// <param name="devices">An even number of devices with their arguments.</param>
    public TestPmd(params string[] devices)
    {
        string program = Requirement.Program("dpdk-testpmd", "dpdk-dev");
        _program = ExternalProgram.Start(Requirement.Program("stdbuf", "coreutils"),
        [
            "--output=L", program, "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "128", .. devices.SelectMany(device => new[] { "--vdev", device }),
            "--", "--interactive", "--forward-mode=io", "--auto-start", "--total-num-mbufs=8192",
        ]);
    }

    /// <summary>Stops forwarding: from here on no lcore of it reads or writes a ring, but its ports are open.</summary>
    public void Stop()
    {
        _program.Write("stop\n");
        _program.WaitForOutput("Done.");
    }

    /// <summary>Ends it in order.</summary>
    public void Finish()
    {
        _program.Write("quit\n");
        _program.WaitForExit().EnsureSuccess();
    }

    public void Dispose() => _program.Dispose();
}
