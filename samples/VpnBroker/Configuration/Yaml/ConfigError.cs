namespace VpnBroker.Configuration.Yaml;

/// <summary>One thing that is wrong with a configuration file, and what to do about it.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Key">The key with its parents, such as <c>lcores.idle</c>; empty when the file as a whole is meant.</param>
/// <param name="Message">A sentence that says what to do.</param>
public sealed record ConfigError(string File, long Line, string Key, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Key.Length == 0 ? $"{File}:{Line}: {Message}" : $"{File}:{Line}: {Key}: {Message}";
}

/// <summary>A configuration file that cannot be used.</summary>
public sealed class ConfigException : Exception
{
    /// <summary>Collects what is wrong.</summary>
    /// <param name="errors">At least one error.</param>
    public ConfigException(IReadOnlyList<ConfigError> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>Everything that is wrong, in the order of the file.</summary>
    public IReadOnlyList<ConfigError> Errors { get; }
}
