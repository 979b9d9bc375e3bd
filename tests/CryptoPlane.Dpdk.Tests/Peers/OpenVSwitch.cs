using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Peers;

/// <summary>An Open vSwitch with DPDK of a test's own: its database, sockets and devices meet no other, and go with it.</summary>
/// <remarks>Ports are vhost-user clients: the process under test makes the sockets, and the switch finds them again after either's end.</remarks>
internal sealed class OpenVSwitch : IDisposable
{
    private const string Daemon = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk", Package = "openvswitch-switch-dpdk";

    // The switch has its tap devices in there.
    private readonly NetworkNamespace _namespace = new("ovs");
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, string?> _environment;
    private readonly ExternalProgram _database;
    private ExternalProgram? _daemon;

    /// <summary>Starts it, without bridges.</summary>
    public OpenVSwitch()
    {
        Requirement.Program(Daemon, Package);
        // The user of the process under test makes its sockets in a directory of its own.
        File.SetUnixFileMode(_directory.Path, File.GetUnixFileMode(_directory.Path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        System.IO.Directory.CreateDirectory(_directory.File("vhost"));
        ExternalProgram.Run("chown", [$"{DpdkLab.Nobody}:{DpdkLab.Nobody}", _directory.File("vhost")]).EnsureSuccess();

        _environment = new() { ["OVS_RUNDIR"] = _directory.Path, ["OVS_LOGDIR"] = _directory.Path, ["OVS_DBDIR"] = _directory.Path };
        string database = _directory.File("conf.db");
        ExternalProgram.Run("ovsdb-tool", ["create", database, "/usr/share/openvswitch/vswitch.ovsschema"], environment: _environment).EnsureSuccess();
        _database = ExternalProgram.Start(Requirement.Program("ovsdb-server", Package), [database, $"--remote=p{Database}"], _environment);
        Eventually.True(() => File.Exists(_directory.File("db.sock")), "the switch's database listens");
        Configure("--no-wait", "init");
        Configure("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
            // OVS would add --in-memory, which the EAL does not take together with --no-huge, if it did not find another mode named.
            "other_config:dpdk-extra=--no-huge --legacy-mem --no-shconf --no-pci --no-telemetry -m 448",
            // Otherwise the first port takes a quarter of a million packets for all.
            "other_config:per-port-memory=true",
            // Its threads give up the CPU, for microseconds, where there is nothing to do.
            "other_config:pmd-maxsleep=200");
        Start();
    }

    /// <summary>The socket of a port, for its vhost-user server.</summary>
    public string SocketOf(string port) => _directory.File($"vhost/{port}");

    /// <summary>The device of DPDK at the other end of a port.</summary>
    /// <param name="device">Such as net_virtio_user0.</param>
    /// <param name="port">The switch's port.</param>
    public string Device(string device, string port) => $"{device},path={SocketOf(port)},server=1";

    /// <summary>Starts the switch, again after <see cref="Kill"/>, with the bridges that there are.</summary>
    public void Start()
    {
        _daemon = _namespace.Start(Daemon, ["unix:" + _directory.File("db.sock"), "--pidfile=" + _directory.File("vswitchd.pid")], _environment);
        // Waits until the switch has done what is configured.
        Configure("set", "Open_vSwitch", ".", $"external_ids:starts={Guid.NewGuid()}");
    }

    /// <summary>The switch dies without a farewell.</summary>
    public void Kill()
    {
        _daemon!.Kill();
        _daemon.Dispose();
    }

    /// <summary>Adds a bridge with ports.</summary>
    public void AddBridge(string bridge, params string[] ports)
    {
        Configure("add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=netdev");
        foreach (string port in ports)
            AddPort(bridge, port);
    }

    /// <summary>Adds a port.</summary>
    public void AddPort(string bridge, string port) =>
        Configure("add-port", bridge, port, "--", "set", "interface", port, "type=dpdkvhostuserclient", $"options:vhost-server-path={SocketOf(port)}");

    /// <summary>Removes a port: its peer sees the link go down.</summary>
    public void RemovePort(string port) => Configure("del-port", port);

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _daemon?.Dispose();
        _database.Dispose();
        _namespace.Dispose();
        _directory.Dispose();
    }

    private string Database => "unix:" + _directory.File("db.sock");

    private void Configure(params string[] arguments)
    {
        ProgramResult result = ExternalProgram.Run("ovs-vsctl", ["--timeout=20", "--db=" + Database, .. arguments], environment: _environment);
        Assert.True(result.ExitCode == 0, $"ovs-vsctl {string.Join(' ', arguments)}: {result.AllOutput}\nThe switch said:\n{_daemon?.AllOutput}");
    }
}
