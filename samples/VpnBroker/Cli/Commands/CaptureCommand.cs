using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using VpnBroker.Capture;
using VpnBroker.Control;
using VpnBroker.Storage;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker capture</c></summary>
internal static class CaptureCommand
{
    private const string StandardOutput = "-";

    /// <summary>What the command takes besides the options of all control commands.</summary>
    public static IReadOnlyList<CommandOption> Options { get; } =
    [
        new("-o", "FILE", "the pcapng file, which must not exist; - for standard output"),
        new("--port", "NAME[,NAME]", "ports, as \"broker status\" names them; tls for users' connections"),
        new("--inner", null, "inner packets: opened, before sealing, and dropped; shows users' traffic"),
        new("--all", null, "every port; those that show users' traffic, and inner packets, only when that is allowed"),
        new("--lcore", "N", "one lcore only"),
        new("--filter", "WORDS", "host ADDRESS, user NAME, proto esp|udp|tcp|icmp|N, port N, spi N; joined by \"and\""),
        new("--snap", "BYTES", "keep so many bytes of a packet"),
        new("--packets", "N", $"end after so many packets (default {CaptureRequest.StandardPackets})"),
        new("--seconds", "N", $"end after so many seconds (default {CaptureRequest.StandardSeconds})"),
        new("--bytes", "N", $"end before the file is longer (default {CaptureRequest.StandardBytes})"),
        new("--sample", "N", "keep one packet in N"),
        new(CapturePlanner.AcknowledgeOption, null, "needed, besides \"capture: {decrypted: allowed}\" in the configuration, where users' traffic is shown"),
    ];

    public static Task<int> RunAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, async () =>
    {
        if (!invocation.Has("-o"))
            throw new CaptureRefusedException("say where to: -o FILE, or -o - for standard output");
        CaptureRequest request = RequestOf(invocation);
        string socket = ControlCommands.SocketOf(invocation);
        string file = invocation.Get("-o", "");
        using Stream output = Open(file);
        try
        {
            return await CaptureAsync(invocation, socket, request, output, file);
        }
        catch (Exception e) when (CommandErrors.IsForOperator(e))
        {
            // Refused: no empty file is left behind.
            if (file != StandardOutput && output.Length == 0)
                File.Delete(file);
            throw;
        }
    });

    /// <summary>The request that the options make.</summary>
    internal static CaptureRequest RequestOf(Invocation invocation) => new()
    {
        Ports = invocation.Has("--port") ? invocation.Get("--port", "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : null,
        Inner = invocation.Has("--inner"),
        All = invocation.Has("--all"),
        Lcore = invocation.Has("--lcore") ? (int)Number(invocation, "--lcore", 0, int.MaxValue) : null,
        Filter = invocation.Has("--filter") ? invocation.Get("--filter", "") : null,
        Snap = (int)Number(invocation, "--snap", CaptureRequest.StandardSnap, int.MaxValue),
        Packets = Number(invocation, "--packets", CaptureRequest.StandardPackets, long.MaxValue),
        Seconds = (int)Number(invocation, "--seconds", CaptureRequest.StandardSeconds, int.MaxValue),
        Bytes = Number(invocation, "--bytes", CaptureRequest.StandardBytes, long.MaxValue),
        Sample = (int)Number(invocation, "--sample", 1, int.MaxValue),
        Acknowledged = invocation.Has(CapturePlanner.AcknowledgeOption),
    };

    private static long Number(Invocation invocation, string option, long otherwise, long maximum)
    {
        if (!invocation.Has(option))
            return otherwise;
        return long.TryParse(invocation.Get(option, ""), NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= maximum
            ? value
            : throw new CaptureRefusedException($"{option} {invocation.Get(option, "")}: write a whole number");
    }

    private static Stream Open(string file)
    {
        // Not the console's stream, which keeps to itself that nobody reads any more.
        if (file == StandardOutput)
            return new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        try
        {
            // A new file of the operator's own: nothing is overwritten, no link followed.
            return new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CaptureRefusedException($"{file} cannot be made: {e.Message}");
        }
    }

    private static async Task<int> CaptureAsync(Invocation invocation, string path, CaptureRequest request, Stream output, string file)
    {
        TextWriter console = invocation.Console.Error;
        using var client = ControlClient.OpenCapture(path, request);
        await console.WriteLineAsync(client.Message);
        bool terminal = !Console.IsErrorRedirected;
        // The first Ctrl-C asks the broker to end, which sends the rest and the statistics.
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            client.End();
        }
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        try
        {
            CaptureProgress end = await Task.Run(() => client.CopyTo(output, progress =>
            {
                if (terminal)
                    console.Write($"\r{progress.Captured} packets captured, {progress.Missed} missed, {progress.Bytes} bytes ");
            }));
            await console.WriteLineAsync($"{(terminal ? "\r" : "")}{end.Captured} packets captured, {end.Missed} missed, {end.Bytes} bytes in {file}: {end.Reason}");
            return ExitCode.Ok;
        }
        catch (CaptureOutputException e)
        {
            await console.WriteLineAsync($"the capture has ended: {file} takes no more ({e.Message})");
            return file == StandardOutput ? ExitCode.Ok : ExitCode.Failure;
        }
    }
}
