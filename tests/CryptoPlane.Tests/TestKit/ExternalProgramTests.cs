using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.TestKit;

/// <summary>The helpers that other tests lean on: a wrong one would hide failures everywhere.</summary>
public sealed class ExternalProgramTests
{
    [Fact]
    public void Output_exit_code_and_input_are_carried()
    {
        ProgramResult result = ExternalProgram.Run("/bin/sh", ["-c", "cat; echo problem >&2; exit 3"], input: "hello");
        Assert.Equal(3, result.ExitCode);
        Assert.Equal("hello", result.Output);
        Assert.Equal("problem\n", result.Error);
        Assert.Throws<InvalidOperationException>(() => result.EnsureSuccess());
    }

    [Fact]
    public void A_program_that_does_not_end_is_killed()
    {
        using ExternalProgram program = ExternalProgram.Start("/bin/sh", ["-c", "echo started; exec sleep 1000"]);
        program.WaitForOutput("started");
        Assert.False(program.HasExited);
        TimeoutException error = Assert.Throws<TimeoutException>(() => program.WaitForExit(TimeSpan.FromMilliseconds(50)));
        Assert.Contains("started", error.Message);
        Assert.True(program.HasExited);
    }

    [Fact]
    public void A_signal_arrives_and_a_missing_text_shows_what_was_written()
    {
        using ExternalProgram program = ExternalProgram.Start("/bin/sh", ["-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.02; done"]);
        program.WaitForOutput("ready");
        program.Signal(ExternalProgram.SigInt);
        TimeoutException error = Assert.Throws<TimeoutException>(() => program.WaitForOutput("never"));
        Assert.Contains("exit code 7", error.Message);
        Assert.Contains("caught", error.Message);
    }
}
