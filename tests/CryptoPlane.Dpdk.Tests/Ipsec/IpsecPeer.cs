using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>
/// DPDK's librte_ipsec as an ESP peer: the program in the folder <c>peer</c>, compiled when the first test needs it, with an EAL of its own,
/// beside all tests that use it. Its protocol is described in <c>peer.h</c>.
/// </summary>
public sealed class IpsecPeer : IDisposable
{
    /// <summary>Packets of a request at most.</summary>
    public const int MaxPackets = 64;

    private static readonly string[] s_devices = [DpdkTestBed.Mb, DpdkTestBed.OpenSsl];

    private readonly TemporaryDirectory _directory = new();
    private readonly StringBuilder _errors = new();
    private Process? _process;

    /// <summary>What a request asks for.</summary>
    internal enum Request : byte
    {
        AddSa = 1,
        RemoveSa = 2,
        Process = 3,
    }

    /// <summary>The number that the peer knows a crypto device by.</summary>
    public static byte NumberOf(string device) => checked((byte)Array.IndexOf(s_devices, device));

    /// <summary>Builds and starts the peer if no test has yet; without DPDK, pkg-config or a compiler the test is skipped, or fails in CI.</summary>
    public void Require()
    {
        if (_process != null)
            return;
        string program = Build();
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in Arguments())
            start.ArgumentList.Add(argument);
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start.");
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.BeginErrorReadLine();
        Assert.Equal(s_devices.Length, BinaryPrimitives.ReadInt32LittleEndian(Receive()));
    }

    public void Dispose()
    {
        if (_process != null)
        {
            // The end of its input ends it.
            _process.StandardInput.Close();
            if (!_process.WaitForExit(10_000))
                _process.Kill();
            _process.Dispose();
        }
        _directory.Dispose();
    }

    /// <summary>Sends a request and returns the answer.</summary>
    internal byte[] Ask(Request request, ReadOnlySpan<byte> content)
    {
        byte[] message = new byte[5 + content.Length];
        BinaryPrimitives.WriteInt32LittleEndian(message, 1 + content.Length);
        message[4] = (byte)request;
        content.CopyTo(message.AsSpan(5));
        try
        {
            _process!.StandardInput.BaseStream.Write(message);
            _process.StandardInput.BaseStream.Flush();
        }
        catch (IOException)
        {
            // It has ended: reading says so, with the reason.
        }
        return Receive();
    }

    private byte[] Receive()
    {
        Stream answers = _process!.StandardOutput.BaseStream;
        byte[] length = new byte[4];
        try
        {
            answers.ReadExactly(length);
            byte[] content = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
            answers.ReadExactly(content);
            return content;
        }
        catch (EndOfStreamException)
        {
            _process.WaitForExit();
            lock (_errors)
                throw new InvalidOperationException($"The peer ended with exit code {_process.ExitCode}. It wrote:\n{_errors}");
        }
    }

    private void Note(string? line)
    {
        lock (_errors)
            _errors.AppendLine(line);
    }

    private string Build()
    {
        string compiler = Requirement.Program("cc", "gcc");
        string packages = Requirement.Program("pkg-config");
        ProgramResult flags = ExternalProgram.Run(packages, ["--cflags", "--libs", "libdpdk >= 22.11"]);
        Requirement.That(flags.ExitCode == 0, $"DPDK's headers are missing: run eng/install-deps.sh dpdk ({flags.AllOutput.Trim()})");
        string program = _directory.File("ipsec-peer");
        string sources = RepositoryRoot.PathOf("tests", "CryptoPlane.Dpdk.Tests", "Ipsec", "peer");
        // DPDK's headers are not clean under all of these warnings.
        IEnumerable<string> dpdk = flags.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(flag => flag.StartsWith("-I", StringComparison.Ordinal) ? "-isystem" + flag[2..] : flag);
        string[] options = ["-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-DALLOW_EXPERIMENTAL_API", "-o", program];
        ProgramResult built = ExternalProgram.Run(compiler,
            [.. options, .. Directory.GetFiles(sources, "*.c"), .. dpdk], timeout: TimeSpan.FromMinutes(5));
        Assert.True(built.ExitCode == 0, built.AllOutput);
        return program;
    }

    private static IEnumerable<string> Arguments() =>
    [
        "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf", "-m", "128", "--lcores", $"0@{CpuSet.OfCurrentThread()[0]}",
        .. s_devices.SelectMany(device => new[] { "--vdev", device }),
    ];
}

/// <summary>One peer for all classes, whose tests run one at a time.</summary>
[CollectionDefinition(nameof(IpsecPeerGroup))]
public sealed class IpsecPeerGroup : ICollectionFixture<IpsecPeer>;
