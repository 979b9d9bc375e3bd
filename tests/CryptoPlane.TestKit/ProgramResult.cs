namespace CryptoPlane.TestKit;

/// <summary>How a program ended and what it wrote.</summary>
/// <param name="ExitCode">Its exit code; 128 + N where signal N ended it.</param>
/// <param name="Output">All of its standard output.</param>
/// <param name="Error">All of its standard error.</param>
public sealed record ProgramResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output, then standard error.</summary>
    public string AllOutput => Output + Error;

    /// <summary>Fails, with all that the program wrote, unless it ended with exit code 0.</summary>
    /// <returns>This result.</returns>
    public ProgramResult EnsureSuccess()
    {
        if (ExitCode != 0)
            throw new InvalidOperationException($"The program ended with exit code {ExitCode}.{Environment.NewLine}{AllOutput}");
        return this;
    }
}
