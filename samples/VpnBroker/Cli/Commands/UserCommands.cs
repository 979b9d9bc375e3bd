using System.Globalization;
using System.Text;
using VpnBroker.Authentication;
using VpnBroker.Configuration;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker user …</c></summary>
internal static class UserCommands
{
    private const int LeastPasswordLength = 8;

    public static Task<int> AddAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        string name = invocation.Arguments[0];
        string[] groups = invocation.Get("--group", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (!UsersFile.IsName(name) || !groups.All(UsersFile.IsName))
            return Usage(invocation, "Names of users and groups have 1 to 64 letters, digits, or any of . _ - @ \\ +");
        string iterationsText = invocation.Get("--iterations", PasswordHash.DefaultIterations.ToString(CultureInfo.InvariantCulture));
        if (!int.TryParse(iterationsText, NumberStyles.None, CultureInfo.InvariantCulture, out int iterations)
            || iterations is < PasswordHash.MinIterations or > PasswordHash.MaxIterations)
        {
            return Usage(invocation, $"--iterations is a number from {PasswordHash.MinIterations} to {PasswordHash.MaxIterations}");
        }
        string file = UsersFileOf(invocation);
        if (ReadPassword(invocation) is not { } password)
            return ExitCode.Failure;
        UsersFile.Set(file, new UserEntry(name, groups, PasswordHash.Create(password, iterations)));
        invocation.Console.Out.WriteLine($"{name} is in {file}");
        return ExitCode.Ok;
    });

    public static Task<int> RemoveAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        string file = UsersFileOf(invocation);
        if (!UsersFile.Remove(file, invocation.Arguments[0]))
        {
            invocation.Console.Error.WriteLine($"{invocation.Arguments[0]} is not in {file} (broker user list shows who is)");
            return ExitCode.Failure;
        }
        invocation.Console.Out.WriteLine($"{invocation.Arguments[0]} is removed from {file}");
        return ExitCode.Ok;
    });

    public static Task<int> ListAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        foreach (UserEntry user in UsersFile.Load(UsersFileOf(invocation)).Users.OrderBy(user => user.Name, StringComparer.Ordinal))
            invocation.Console.Out.WriteLine(user.Groups.Count == 0 ? user.Name : $"{user.Name}\t{string.Join(',', user.Groups)}");
        return ExitCode.Ok;
    });

    private static string UsersFileOf(Invocation invocation)
    {
        if (invocation.Has("--users"))
            return Path.GetFullPath(invocation.Get("--users", ""));
        BrokerConfig config = CommandErrors.LoadConfig(invocation);
        return config.Authentication?.UsersFile ?? throw new UsersFileException("the configuration has no authentication section: name the file with --users");
    }

    private static int Usage(Invocation invocation, string message)
    {
        invocation.Console.Error.WriteLine(message);
        return ExitCode.Usage;
    }

    private static string? ReadPassword(Invocation invocation)
    {
        string? password;
        if (invocation.Console.InputIsTerminal)
        {
            password = Prompt(invocation, "Password: ");
            if (Prompt(invocation, "Again: ") != password)
            {
                invocation.Console.Error.WriteLine("The two passwords differ: nothing was changed.");
                return null;
            }
        }
        else
        {
            password = invocation.Console.In.ReadLine();
        }
        if (password?.Length >= LeastPasswordLength)
            return password;
        invocation.Console.Error.WriteLine($"A password has at least {LeastPasswordLength} characters: nothing was changed.");
        return null;
    }

    /// <summary>Reads a line without showing it.</summary>
    private static string Prompt(Invocation invocation, string prompt)
    {
        invocation.Console.Error.Write(prompt);
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
                text.Length = Math.Max(0, text.Length - 1);
            else if (!char.IsControl(key.KeyChar))
                text.Append(key.KeyChar);
        }
        invocation.Console.Error.WriteLine();
        return text.ToString();
    }
}
