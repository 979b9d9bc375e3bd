namespace VpnBroker.Cli;

/// <summary>An option of a command.</summary>
/// <param name="Name">The name with its dashes: <c>--config</c>.</param>
/// <param name="Value">What its value is called in the help, or null for a flag.</param>
/// <param name="Help">One line.</param>
public sealed record CommandOption(string Name, string? Value, string Help);

/// <summary>A command of the program: data, so that the help always says what the parser takes.</summary>
/// <param name="Path">The words that name it: <c>user add</c>.</param>
/// <param name="Help">One line for the list of commands.</param>
/// <param name="Arguments">The names of its arguments, all of them needed.</param>
/// <param name="Options">Its options.</param>
/// <param name="Run">Runs it; returns the exit code.</param>
public sealed record Command(string Path, string Help, IReadOnlyList<string> Arguments, IReadOnlyList<CommandOption> Options, Func<Invocation, Task<int>> Run)
{
    /// <summary>More about it, for its own help; null when the line says it all.</summary>
    public string? Details { get; init; }
}

/// <summary>A command with what was given to it.</summary>
/// <param name="Command">The command.</param>
/// <param name="Arguments">As many as the command has.</param>
/// <param name="Options">The options that were given, by name; flags have an empty value.</param>
/// <param name="Console">Where it reads and writes.</param>
public sealed record Invocation(Command Command, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Options, CommandConsole Console)
{
    /// <summary>Whether a flag was given.</summary>
    public bool Has(string option) => Options.ContainsKey(option);

    /// <summary>An option's value, or what counts without it.</summary>
    public string Get(string option, string otherwise) => Options.GetValueOrDefault(option, otherwise);
}

/// <summary>Standard input and output, or a test's.</summary>
/// <param name="In">Where passwords come from when standard input is no terminal.</param>
/// <param name="Out">Results.</param>
/// <param name="Error">Errors.</param>
/// <param name="InputIsTerminal">Whether a person types.</param>
public sealed record CommandConsole(TextReader In, TextWriter Out, TextWriter Error, bool InputIsTerminal);

/// <summary>Exit codes of every command.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It did not work; the message says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line is wrong; the message says how to write it.</summary>
    public const int Usage = 2;
}
