using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace CryptoPlane.TestKit;

/// <summary>
/// A program that a test runs beside itself. What it writes is collected while it runs; it and its children are killed when the
/// object is disposed of.
/// </summary>
public sealed partial class ExternalProgram : IDisposable
{
    /// <summary>How long <see cref="Run"/> and the waits take at most where nothing else is said.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Signal numbers of Linux.</summary>
    public const int SigHup = 1, SigInt = 2, SigKill = 9, SigTerm = 15;

    private readonly Process _process;
    private readonly Collector _output, _error;

    private ExternalProgram(Process process)
    {
        _process = process;
        Id = process.Id;
        _output = new Collector(process.StandardOutput);
        _error = new Collector(process.StandardError);
    }

    /// <summary>Starts a program and returns at once.</summary>
    /// <param name="program">File name or path.</param>
    /// <param name="arguments">Passed as they are; no shell is involved.</param>
    /// <param name="environment">Variables added to this process's own; null removes one.</param>
    /// <param name="workingDirectory">The directory to run in; null for this process's own.</param>
    public static ExternalProgram Start(string program, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        return new ExternalProgram(Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start."));
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">File name or path.</param>
    /// <param name="arguments">Passed as they are; no shell is involved.</param>
    /// <param name="input">Written to its standard input, which is then closed.</param>
    /// <param name="timeout">After this it is killed and <see cref="TimeoutException"/> thrown.</param>
    /// <param name="environment">Variables added to this process's own; null removes one.</param>
    /// <param name="workingDirectory">The directory to run in; null for this process's own.</param>
    public static ProgramResult Run(string program, IEnumerable<string> arguments, string input = "", TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string?>? environment = null, string? workingDirectory = null)
    {
        using ExternalProgram running = Start(program, arguments, environment, workingDirectory);
        running.TryWrite(input);
        running.CloseInput();
        return running.WaitForExit(timeout);
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>True once the program has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard output so far.</summary>
    public string Output => _output.Text;

    /// <summary>What it has written to standard error so far.</summary>
    public string Error => _error.Text;

    /// <summary>Both of them, standard output first.</summary>
    public string AllOutput => Output + Error;

    /// <summary>Writes text to its standard input.</summary>
    public void Write(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    /// <summary>Writes bytes to its standard input.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        _process.StandardInput.BaseStream.Write(bytes);
        _process.StandardInput.BaseStream.Flush();
    }

    /// <summary>Closes its standard input.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended before it read all of it; its exit code and output say why.
        }
    }

    /// <summary>Waits until its output (either stream) contains a text.</summary>
    /// <exception cref="TimeoutException">It did not appear; the message shows what did.</exception>
    public void WaitForOutput(string text, TimeSpan? timeout = null)
    {
        bool found = Eventually.Becomes(() => AllOutput.Contains(text, StringComparison.Ordinal) || HasExited, timeout ?? DefaultTimeout);
        if (found && HasExited)
            WaitForExit(timeout);
        if (!AllOutput.Contains(text, StringComparison.Ordinal))
            throw new TimeoutException($"'{text}' did not appear ({(HasExited ? $"the program ended with exit code {_process.ExitCode}" : "the program still runs")}). It wrote:{Environment.NewLine}{AllOutput}");
    }

    /// <summary>Waits for its end and for the rest of its output.</summary>
    /// <exception cref="TimeoutException">It did not end in time (and was killed); the message shows what it wrote.</exception>
    public ProgramResult WaitForExit(TimeSpan? timeout = null)
    {
        TimeSpan limit = timeout ?? DefaultTimeout;
        if (!_process.WaitForExit(limit))
        {
            Kill();
            throw new TimeoutException($"'{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)}' did not end within {limit.TotalSeconds} s. It wrote:{Environment.NewLine}{AllOutput}");
        }
        // A child may hold the pipes open after the program itself is gone, so this wait is bounded as well.
        Task.WaitAll([_output.Completion, _error.Completion], TimeSpan.FromSeconds(5));
        return new ProgramResult(_process.ExitCode, Output, Error);
    }

    /// <summary>Sends a signal to the program.</summary>
    public void Signal(int signal)
    {
        if (!HasExited && Kill(Id, signal) != 0)
            throw new InvalidOperationException($"Signal {signal} could not be sent to process {Id}: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Kills the program and its children.</summary>
    public void Kill()
    {
        if (HasExited)
            return;
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    private void TryWrite(string text)
    {
        try
        {
            Write(text);
        }
        catch (IOException)
        {
            // The program ended before it read all of it; its exit code and output say why.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    /// <summary>Reads a stream to its end in the background, in pieces (a prompt has no line end).</summary>
    private sealed class Collector
    {
        private readonly StringBuilder _text = new();

        public Collector(StreamReader reader) => Completion = Task.Run(() => ReadAsync(reader));

        public Task Completion { get; }

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        private async Task ReadAsync(StreamReader reader)
        {
            char[] buffer = new char[4096];
            try
            {
                while (await reader.ReadAsync(buffer).ConfigureAwait(false) is int count and > 0)
                {
                    lock (_text)
                        _text.Append(buffer, 0, count);
                }
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                // The program was killed and its pipe closed under the reader.
            }
        }
    }
}
