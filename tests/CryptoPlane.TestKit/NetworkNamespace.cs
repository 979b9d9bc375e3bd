using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.TestKit;

/// <summary>
/// A network namespace of a test's own: other tests, other runs and the machine's own network never meet it. Everything in it goes
/// away with it.
/// </summary>
public sealed partial class NetworkNamespace : IDisposable
{
    private static int s_counter;
    private readonly string _ip;

    /// <summary>Makes a namespace with its loopback interface up. Skips the test where that is impossible.</summary>
    /// <param name="role">A short word for its name, such as "user".</param>
    public NetworkNamespace(string role)
    {
        Requirement.NetworkNamespaces();
        _ip = Requirement.Program("ip", "iproute2");
        Name = $"cp-{Environment.ProcessId}-{Interlocked.Increment(ref s_counter)}-{role}";
        ExternalProgram.Run(_ip, ["netns", "add", Name]).EnsureSuccess();
        Ip("link set lo up");
    }

    /// <summary>The namespace's name for 'ip netns exec'.</summary>
    public string Name { get; }

    /// <summary>Runs 'ip' inside the namespace and fails the test where that fails.</summary>
    /// <param name="arguments">Separated by single spaces.</param>
    public ProgramResult Ip(string arguments) =>
        ExternalProgram.Run(_ip, ["-n", Name, .. arguments.Split(' ')]).EnsureSuccess();

    /// <summary>Joins two namespaces by a veth pair, up on both ends, with an address each.</summary>
    /// <param name="other">The other namespace.</param>
    /// <param name="device">The name of this end (15 characters at most); the other end gets <paramref name="otherDevice"/>.</param>
    /// <param name="address">This end's address with its prefix length, such as "10.99.0.1/24".</param>
    /// <param name="otherDevice">The name of the other end.</param>
    /// <param name="otherAddress">The other end's address.</param>
    public void Connect(NetworkNamespace other, string device, string address, string otherDevice, string otherAddress)
    {
        Ip($"link add {device} type veth peer name {otherDevice} netns {other.Name}");
        AddAddress(device, address);
        other.AddAddress(otherDevice, otherAddress);
        Ip($"link set {device} up");
        other.Ip($"link set {otherDevice} up");
    }

    /// <summary>Gives a device an address; an IPv6 address is usable at once (no duplicate address detection).</summary>
    public void AddAddress(string device, string address) =>
        Ip($"addr add {address} dev {device}" + (address.Contains(':') ? " nodad" : ""));

    /// <summary>Waits until packets to an address leave from another one: until a client's script has set the addresses and routes of its tunnel.</summary>
    /// <param name="to">The address that is sent to.</param>
    /// <param name="from">How the address begins that the kernel chooses as the source, such as "10.77.".</param>
    public void WaitForRoute(string to, string from) => Eventually.True(
        () => Run(_ip, ["route", "get", to]).Output.Contains($"src {from}", StringComparison.Ordinal), $"a route from {from}… to {to} in {Name}");

    /// <summary>Runs a program inside the namespace to its end.</summary>
    public ProgramResult Run(string program, IEnumerable<string> arguments, string input = "", TimeSpan? timeout = null) =>
        ExternalProgram.Run(_ip, ["netns", "exec", Name, program, .. arguments], input, timeout);

    /// <summary>Starts a program inside the namespace. The process id is the program's own ('ip netns exec' becomes it).</summary>
    public ExternalProgram Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null) =>
        ExternalProgram.Start(_ip, ["netns", "exec", Name, program, .. arguments], environment);

    /// <summary>Runs code on a thread that is inside the namespace. Sockets that it opens belong to the namespace, whoever uses them later.</summary>
    public T Within<T>(Func<T> action)
    {
        ArgumentNullException.ThrowIfNull(action);
        T? result = default;
        ExceptionDispatchInfo? thrown = null;
        // The kernel moves one thread only, so it has to be one that nobody else gets afterwards.
        var thread = new Thread(() =>
        {
            try
            {
                Enter();
                result = action();
            }
            catch (Exception exception)
            {
                thrown = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        thrown?.Throw();
        return result!;
    }

    /// <summary>Removes the namespace with its devices. Stop the programs in it first.</summary>
    public void Dispose() => ExternalProgram.Run(_ip, ["netns", "delete", Name]);

    private void Enter()
    {
        // Not a FileStream: such a file cannot be sought in.
        int descriptor = Open($"/run/netns/{Name}", CloseOnExec);
        int result = descriptor < 0 ? -1 : SetNamespace(descriptor, NewNetwork);
        int error = Marshal.GetLastPInvokeError();
        if (descriptor >= 0)
            _ = Close(descriptor);
        if (result != 0)
            throw new InvalidOperationException($"The thread cannot enter namespace {Name}: error {error}.");
    }

    private const int NewNetwork = 0x4000_0000, CloseOnExec = 0x8_0000;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);
}
