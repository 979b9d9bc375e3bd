using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>The broker's own program, run in a namespace with a directory of its own.</summary>
internal sealed class BrokerProcess : IDisposable
{
    private static readonly TimeSpan s_startTime = TimeSpan.FromSeconds(60);

    private readonly ExternalProgram _program;
    private readonly TemporaryDirectory _directory;

    private BrokerProcess(TemporaryDirectory directory, ExternalProgram program)
    {
        _directory = directory;
        _program = program;
    }

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "broker");

    public ExternalProgram Program => _program;

    /// <summary>Starts the program with <c>broker.yaml</c> of a directory and waits until it serves.</summary>
    public static BrokerProcess Start(NetworkNamespace place, TemporaryDirectory directory)
    {
        ExternalProgram program = place.Start(Path, ["run", "--config", directory.File("broker.yaml")]);
        try
        {
            program.WaitForOutput("The broker runs as process", s_startTime);
        }
        catch
        {
            program.Dispose();
            throw;
        }
        return new BrokerProcess(directory, program);
    }

    /// <summary>Runs another command of the program.</summary>
    public static ProgramResult Run(TemporaryDirectory directory, string command, string input = "") =>
        ExternalProgram.Run(Path, [.. command.Split(' '), "--config", directory.File("broker.yaml")], input);

    /// <summary>What <c>broker status --json</c> prints.</summary>
    public JsonElement Status() => JsonDocument.Parse(Run(_directory, "status --json").EnsureSuccess().Output).RootElement;

    public void Dispose() => _program.Dispose();
}
