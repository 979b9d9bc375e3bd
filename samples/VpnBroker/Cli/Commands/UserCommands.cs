using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike.Authentication.Eap;
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
        string? ikeFile = IkeUsersFileOf(invocation, required: invocation.Has("--ikev2"));
        // A changed password counts everywhere: an NT hash of the old one must not stay.
        bool ike = ikeFile is not null && (invocation.Has("--ikev2") || HasIkePassword(ikeFile, name));
        if (ReadPassword(invocation) is not { } password)
            return ExitCode.Failure;
        if (ike && password.Length > EapPassword.MaxLength)
            return Usage(invocation, $"For IKEv2 a password has at most {EapPassword.MaxLength} characters: nothing was changed.");
        UsersFile.Set(file, new UserEntry(name, groups, PasswordHash.Create(password, iterations)));
        if (ike)
            SetIkePassword(ikeFile!, name, password);
        invocation.Console.Out.WriteLine(ike ? $"{name} is in {file}, and in {ikeFile} for IKEv2" : $"{name} is in {file}");
        return ExitCode.Ok;
    });

    public static Task<int> RemoveAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        string name = invocation.Arguments[0];
        bool onlyIke = invocation.Has("--ikev2");
        string? ikeFile = IkeUsersFileOf(invocation, required: onlyIke);
        string file = onlyIke ? ikeFile! : UsersFileOf(invocation);
        // The hash first: should the second step fail, no password stays behind for nobody.
        bool removed = ikeFile is not null && IkeUsersFile.Remove(ikeFile, name);
        if (onlyIke ? !removed : !UsersFile.Remove(file, name))
        {
            invocation.Console.Error.WriteLine($"{name} is not in {file} (broker user list shows who is)");
            return ExitCode.Failure;
        }
        invocation.Console.Out.WriteLine($"{name} is removed from {file}");
        return ExitCode.Ok;
    });

    public static Task<int> ListAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        string? ikeFile = IkeUsersFileOf(invocation, required: false);
        using IkeUsersFile? ike = File.Exists(ikeFile) ? IkeUsersFile.Load(ikeFile) : null;
        foreach (UserEntry user in UsersFile.Load(UsersFileOf(invocation)).Users.OrderBy(user => user.Name, StringComparer.Ordinal))
        {
            string line = user.Groups.Count == 0 ? user.Name : $"{user.Name}\t{string.Join(',', user.Groups)}";
            invocation.Console.Out.WriteLine(ike?.Contains(user.Name) == true ? line + "\tikev2" : line);
        }
        return ExitCode.Ok;
    });

    private static bool HasIkePassword(string file, string name)
    {
        if (!File.Exists(file))
            return false;
        using var users = IkeUsersFile.Load(file);
        return users.Contains(name);
    }

    private static void SetIkePassword(string file, string name, string password)
    {
        Span<byte> hash = stackalloc byte[EapPassword.HashLength];
        EapPassword.Hash(password, hash);
        IkeUsersFile.Set(file, name, hash);
        CryptographicOperations.ZeroMemory(hash);
    }

    /// <summary>The file of NT hashes; null where nobody names one, and none is needed.</summary>
    private static string? IkeUsersFileOf(Invocation invocation, bool required)
    {
        if (invocation.Has("--ike-users"))
            return Path.GetFullPath(invocation.Get("--ike-users", ""));
        // With --users there need not be a configuration.
        string? file = invocation.Has("--users") && !invocation.Has("--config") ? null : CommandErrors.LoadConfig(invocation).Authentication?.IkeUsersFile;
        return file is null && required
            ? throw new UsersFileException("the configuration has no authentication.ikeUsersFile: write it there, or name the file with --ike-users") : file;
    }

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
