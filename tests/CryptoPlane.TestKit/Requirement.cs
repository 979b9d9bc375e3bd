using System.Diagnostics.CodeAnalysis;
using Xunit;

namespace CryptoPlane.TestKit;

/// <summary>
/// What a test needs from the machine. Where it is missing the test is skipped, with a reason that says what to install; with the
/// environment variable CI=true it fails instead, so that CI cannot lose a test without anybody noticing.
/// </summary>
public static class Requirement
{
    /// <summary>True where a missing requirement is a failure.</summary>
    public static bool IsContinuousIntegration =>
        string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>A program on PATH (or in one of the sbin directories).</summary>
    /// <param name="name">The program's file name, or an absolute path.</param>
    /// <param name="package">The Debian package to install.</param>
    /// <returns>The program's absolute path.</returns>
    public static string Program(string name, string? package = null)
    {
        string? path = Find(name);
        if (path == null)
            Missing($"the program '{name}' is missing: install it with 'apt-get install {package ?? name}' (or run eng/install-deps.sh)");
        return path!;
    }

    /// <summary>Debian's Python with a module that is packaged for it, such as scapy.</summary>
    /// <returns>The absolute path of the interpreter.</returns>
    public static string PythonModule(string module, string package)
    {
        string python = Program("/usr/bin/python3", "python3");
        ProgramResult result = ExternalProgram.Run(python, ["-c", $"import {module}"], timeout: TimeSpan.FromSeconds(60));
        if (result.ExitCode != 0)
            Missing($"the Python module '{module}' is missing: install it with 'apt-get install {package}' (or run eng/install-deps.sh)");
        return python;
    }

    /// <summary>The rights of root: raw sockets, TUN devices, network namespaces.</summary>
    public static void Root()
    {
        if (!Environment.IsPrivilegedProcess)
            Missing("the test needs root: run it as root or with sudo");
    }

    /// <summary>Root, iproute2, and a kernel that lets this process make network namespaces.</summary>
    public static void NetworkNamespaces()
    {
        Root();
        Program("ip", "iproute2");
        if (s_namespaceError.Value is string error)
            Missing("network namespaces cannot be made here: " + error);
    }

    /// <summary>A TUN device node.</summary>
    public static void Tun()
    {
        Root();
        if (!File.Exists("/dev/net/tun"))
            Missing("/dev/net/tun is missing: load the kernel module 'tun', or give the container the device");
    }

    /// <summary>Anything else.</summary>
    /// <param name="available">True where it is there.</param>
    /// <param name="whatToDo">What is missing, and how to get it.</param>
    public static void That(bool available, string whatToDo)
    {
        if (!available)
            Missing(whatToDo);
    }

    private static readonly Lazy<string?> s_namespaceError = new(ProbeNamespaces);

    private static string? ProbeNamespaces()
    {
        string name = $"cp-probe-{Environment.ProcessId}";
        ProgramResult added = ExternalProgram.Run(Find("ip")!, ["netns", "add", name]);
        if (added.ExitCode != 0)
            return added.AllOutput.Trim();
        ExternalProgram.Run(Find("ip")!, ["netns", "delete", name]);
        return null;
    }

    private static string? Find(string name)
    {
        if (Path.IsPathRooted(name))
            return File.Exists(name) ? name : null;
        string path = Environment.GetEnvironmentVariable("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, name))
            .FirstOrDefault(File.Exists);
    }

    [DoesNotReturn]
    private static void Missing(string reason)
    {
        if (IsContinuousIntegration)
            Assert.Fail("CI=true, and " + reason);
        Assert.Skip(reason);
    }
}
