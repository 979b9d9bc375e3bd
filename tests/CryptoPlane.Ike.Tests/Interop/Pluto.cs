using System.Globalization;
using System.Net;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>
/// libreswan's pluto in a network namespace, with one connection by a pre-shared key. Debian's package cannot be installed beside
/// strongSwan's, so eng/install-deps.sh only unpacks it; and where the kernel has no ESP, no-esp.c answers for it.
/// </summary>
internal sealed class Pluto : IDisposable
{
    private const string Root = "/opt/cryptoplane/libreswan";

    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _place;
    private readonly ExternalProgram _process;

    /// <summary>Starts it.</summary>
    /// <param name="place">Where it runs.</param>
    /// <param name="address">Its address.</param>
    /// <param name="peer">Ours.</param>
    /// <param name="key">The pre-shared key.</param>
    /// <param name="settings">Lines of its connection 'c': algorithms, selectors, lifetimes.</param>
    public Pluto(NetworkNamespace place, IPAddress address, IPAddress peer, string key, params string[] settings)
    {
        _place = place;
        Requirement.That(File.Exists(Program("pluto")), "libreswan is not unpacked: run eng/install-deps.sh test");
        string shim = _directory.File("no-esp.so");
        string source = RepositoryRoot.PathOf("tests", "CryptoPlane.Ike.Tests", "Interop", "no-esp.c");
        ExternalProgram.Run(Requirement.Program("gcc"), ["-shared", "-fPIC", "-Wall", "-Werror", "-o", shim, source, "-ldl"]).EnsureSuccess();
        Directory.CreateDirectory(_directory.File("nss"));
        ExternalProgram.Run(
            Requirement.Program("certutil", "libnss3-tools"), ["-N", "-d", $"sql:{_directory.File("nss")}", "--empty-password"]).EnsureSuccess();
        File.WriteAllText(_directory.File("ipsec.secrets"), $"@lib @srv : PSK \"{key}\"\n");
        string[] connection =
        [
            "config setup", "  protostack=xfrm", "conn c", "  ikev2=insist", "  authby=secret", "  auto=add", $"  left={address}", "  leftid=@lib",
            $"  right={peer}", "  rightid=@srv", "  leftupdown=/bin/true", .. settings.Select(line => "  " + line),
        ];
        File.WriteAllLines(_directory.File("ipsec.conf"), connection);
        // It looks for its helpers where its package would have put them; the mount is the process's own. SPIs that it reserved stay reserved:
        // the kernel never hears of the SAs that they are for.
        string[] pluto =
        [
            Program("pluto"), "--nofork", "--config", _directory.File("ipsec.conf"), "--secretsfile", _directory.File("ipsec.secrets"),
            "--nssdir", $"sql:{_directory.File("nss")}", "--rundir", _directory.File("run"), "--dumpdir", _directory.File("run"), "--no-dnssec",
            "--logfile", _directory.File("pluto.log"), "--log-no-time",
        ];
        Directory.CreateDirectory(_directory.File("run"));
        string script = $"echo 3600 >/proc/sys/net/core/xfrm_acq_expires && mount --bind {Root}/usr/libexec /usr/libexec && LD_PRELOAD={shim} exec {string.Join(' ', pluto)}";
        _process = place.Start("/bin/sh", ["-c", script]);
        Eventually.True(() => Log.Contains("loading secrets", StringComparison.Ordinal) || _process.HasExited, "pluto did not start", TimeSpan.FromSeconds(30));
        Assert.False(_process.HasExited, _process.AllOutput + Log);
        Await("added IKEv2 connection", 1);
    }

    /// <summary>What it has logged since its self-tests.</summary>
    public string Log
    {
        get
        {
            string all = File.Exists(_directory.File("pluto.log")) ? File.ReadAllText(_directory.File("pluto.log")) : "";
            return all[Math.Max(0, all.IndexOf("CPU cores online", StringComparison.Ordinal))..];
        }
    }

    /// <summary>Waits until it has logged a text so many times.</summary>
    public void Await(string text, int count) =>
        Assert.True(Eventually.Becomes(() => Count(text) >= count, TimeSpan.FromSeconds(30)), $"pluto did not log '{text}' {count} times:\n{Log}");

    /// <summary>Gives a command, such as "--initiate --name c".</summary>
    public void Whack(string arguments) => _place.Run(
        Program("whack"), ["--rundir", _directory.File("run"), .. arguments.Split(' ')], timeout: TimeSpan.FromSeconds(60));

    public void Dispose()
    {
        _process.Signal(ExternalProgram.SigTerm);
        _process.WaitForExit();
        _process.Dispose();
        _directory.Dispose();
    }

    private int Count(string text) => Log.Split(text).Length - 1;

    private static string Program(string name) => Path.Combine(Root, "usr/libexec/ipsec", name);
}
