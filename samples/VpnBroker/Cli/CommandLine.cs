using System.Text;

namespace VpnBroker.Cli;

/// <summary>Finds the command of a command line, checks what was given to it, and answers <c>--help</c> everywhere.</summary>
/// <param name="commands">The program's commands.</param>
public sealed class CommandLine(IReadOnlyList<Command> commands)
{
    private const string Program = "broker";

    /// <summary>Runs a command line.</summary>
    /// <param name="words">The words behind the program's name.</param>
    /// <param name="console">Where to read and write.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> words, CommandConsole console)
    {
        bool help = words.Any(word => word is "--help" or "-h" or "-?");
        if (FindCommand(words) is not { } command)
        {
            string[] names = [.. words.TakeWhile(word => !word.StartsWith('-'))];
            string group = string.Join(' ', names);
            bool known = names.Length == 0 || commands.Any(candidate => candidate.Path.StartsWith(group + " ", StringComparison.Ordinal));
            if (!known)
            {
                await console.Error.WriteLineAsync($"There is no command \"{group}\": \"{Program} --help\" lists them.");
                return ExitCode.Usage;
            }
            await (help ? console.Out : console.Error).WriteAsync(Overview(group));
            return help ? ExitCode.Ok : ExitCode.Usage;
        }
        if (help)
        {
            await console.Out.WriteAsync(HelpOf(command));
            return ExitCode.Ok;
        }
        if (Parse(command, [.. words.Skip(command.Path.Split(' ').Length)], console, out string problem) is not { } invocation)
        {
            await console.Error.WriteLineAsync($"{problem}: \"{Program} {command.Path} --help\" shows how.");
            return ExitCode.Usage;
        }
        return await command.Run(invocation);
    }

    /// <summary>The command with the longest path that the words begin with.</summary>
    private Command? FindCommand(IReadOnlyList<string> words) => commands
        .Where(command => command.Path.Split(' ') is var path && words.Count >= path.Length && words.Take(path.Length).SequenceEqual(path))
        .MaxBy(command => command.Path.Length);

    private static Invocation? Parse(Command command, string[] words, CommandConsole console, out string problem)
    {
        var arguments = new List<string>();
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        problem = "";
        for (int i = 0; i < words.Length; i++)
        {
            string word = words[i];
            if (!word.StartsWith('-'))
            {
                arguments.Add(word);
                continue;
            }
            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word : word[..equals];
            if (command.Options.FirstOrDefault(known => known.Name == name) is not { } option)
                problem = $"There is no option {name}";
            else if (option.Value is null && equals >= 0)
                problem = $"{name} takes no value";
            else if (option.Value is not null && equals < 0 && i + 1 == words.Length)
                problem = $"{name} needs a value";
            else if (!options.TryAdd(name, option.Value is null ? "" : equals >= 0 ? word[(equals + 1)..] : words[++i]))
                problem = $"{name} is given twice";
            if (problem.Length != 0)
                return null;
        }
        if (arguments.Count == command.Arguments.Count)
            return new Invocation(command, arguments, options, console);
        problem = arguments.Count < command.Arguments.Count ? $"{command.Arguments[arguments.Count]} is missing" : $"\"{arguments[command.Arguments.Count]}\" is too much";
        return null;
    }

    private string Overview(string group)
    {
        Command[] shown = [.. commands.Where(command => group.Length == 0 || command.Path.StartsWith(group + " ", StringComparison.Ordinal))];
        var text = new StringBuilder();
        if (group.Length == 0)
            text.Append("The CryptoPlane VPN broker: openconnect users, ESP tunnels and a TUN port.\n\n");
        text.Append("Usage: ").Append(Program).Append(group.Length == 0 ? "" : " " + group).Append(" COMMAND [OPTIONS]\n\nCommands:\n");
        int width = shown.Max(command => Synopsis(command).Length);
        foreach (Command command in shown)
            text.Append("  ").Append(Synopsis(command).PadRight(width)).Append("  ").Append(command.Help).Append('\n');
        return text.Append($"\n\"{Program} COMMAND --help\" tells more about one.\n").ToString();
    }

    private static string HelpOf(Command command)
    {
        var text = new StringBuilder();
        text.Append("Usage: ").Append(Program).Append(' ').Append(Synopsis(command)).Append(command.Options.Count == 0 ? "\n\n" : " [OPTIONS]\n\n");
        text.Append(command.Help).Append(".\n");
        if (command.Details is { } details)
            text.Append('\n').Append(details).Append('\n');
        if (command.Options.Count == 0)
            return text.ToString();
        text.Append("\nOptions:\n");
        static string Left(CommandOption option) => option.Value is null ? option.Name : $"{option.Name} {option.Value}";
        int width = command.Options.Max(option => Left(option).Length);
        foreach (CommandOption option in command.Options)
            text.Append("  ").Append(Left(option).PadRight(width)).Append("  ").Append(option.Help).Append('\n');
        return text.ToString();
    }

    private static string Synopsis(Command command) => string.Join(' ', command.Arguments.Prepend(command.Path));
}
