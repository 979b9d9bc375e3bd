using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace VpnBroker.Configuration.Yaml;

/// <summary>Where errors of one file are collected.</summary>
internal sealed class ConfigErrors(string file)
{
    private readonly List<ConfigError> _errors = [];

    /// <summary>The file's path, for messages and for relative paths in it.</summary>
    public string File { get; } = file;

    /// <summary>What was found so far, in the order of lines.</summary>
    public IReadOnlyList<ConfigError> Found => [.. _errors.OrderBy(error => error.Line)];

    /// <summary>Notes an error.</summary>
    public void Add(long line, string key, string message) => _errors.Add(new ConfigError(File, line, key, message));

    /// <summary>Throws when anything was found.</summary>
    /// <exception cref="ConfigException">Something was.</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count != 0)
            throw new ConfigException(Found);
    }
}

/// <summary>One value of the file with its path: what a setting is parsed from.</summary>
/// <remarks>Methods return null, or the default, behind an error that is noted; the file's errors are reported together.</remarks>
internal readonly struct ConfigNode(YamlNode node, string path, ConfigErrors errors)
{
    /// <summary>The key with its parents.</summary>
    public string Path => path;

    /// <summary>The line, from 1.</summary>
    public long Line => node.Start.Line;

    /// <summary>Where errors go.</summary>
    public ConfigErrors Errors => errors;

    /// <summary>Whether the value is a list with nothing in it.</summary>
    public bool IsEmptyList => node is YamlSequenceNode { Children.Count: 0 };

    /// <summary>Notes an error at this value.</summary>
    public void Fail(string message) => errors.Add(Line, path, message);

    /// <summary>The value as a mapping.</summary>
    public ConfigMap? AsMap()
    {
        if (node is YamlMappingNode mapping)
            return new ConfigMap(mapping, path, errors);
        Fail("write keys with values below this one, indented");
        return null;
    }

    /// <summary>The value as a list of values.</summary>
    public IReadOnlyList<ConfigNode> AsList()
    {
        if (node is not YamlSequenceNode sequence)
        {
            Fail("write a list: [a, b], or lines that begin with \"- \"");
            return [];
        }
        var items = new List<ConfigNode>(sequence.Children.Count);
        foreach (YamlNode child in sequence.Children)
            items.Add(new ConfigNode(child, $"{path}[{items.Count}]", errors));
        return items;
    }

    /// <summary>The value as text that is not empty.</summary>
    public string? AsText()
    {
        if (node is YamlScalarNode { Value: { } text, Style: var style } && text.Length != 0 && !(style == ScalarStyle.Plain && text is "~" or "null"))
            return text;
        Fail(node is YamlScalarNode ? "write a value, or leave the key out" : "write one value here, not a list or a mapping");
        return null;
    }

    /// <summary>The value as true or false.</summary>
    public bool? AsFlag()
    {
        switch (PlainText())
        {
            case "true": return true;
            case "false": return false;
            default:
                Fail("write true or false");
                return null;
        }
    }

    /// <summary>The value as a whole number, decimal or hexadecimal (0x…), in a range.</summary>
    public long? AsNumber(long minimum, long maximum)
    {
        string? text = PlainText();
        bool hex = text is not null && text.StartsWith("0x", StringComparison.Ordinal);
        bool parsed = hex
            ? long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value)
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        if (parsed && value >= minimum && value <= maximum)
            return value;
        Fail($"write a whole number from {minimum} to {maximum}, without quotes or units");
        return null;
    }

    /// <summary>The value as a time in seconds: <c>30s</c>, <c>10m</c>, <c>24h</c>, <c>7d</c>, or <c>never</c> (0) where that is allowed.</summary>
    public int? AsSeconds(bool neverAllowed, int maximum)
    {
        string? text = PlainText();
        if (text == "never" && neverAllowed)
            return 0;
        int unit = text is { Length: > 1 } ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 } : 0;
        if (unit != 0 && int.TryParse(text.AsSpan(0, text!.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count > 0 && (long)count * unit <= maximum)
        {
            return count * unit;
        }
        Fail($"write a time such as 30s, 10m, 24h or 7d, at most {maximum}s{(neverAllowed ? ", or never" : "")}");
        return null;
    }

    /// <summary>The value as one of some words.</summary>
    public T? AsChoice<T>(params ReadOnlySpan<(string Word, T Value)> choices) where T : struct
    {
        string? text = PlainText();
        foreach ((string word, T value) in choices)
        {
            if (word == text)
                return value;
        }
        var words = new List<string>();
        foreach ((string word, _) in choices)
            words.Add(word);
        Fail($"write one of: {string.Join(", ", words)}");
        return null;
    }

    /// <summary>The value as a path; relative ones are meant from the directory of the configuration file.</summary>
    public string? AsPath() =>
        AsText() is { } text ? System.IO.Path.GetFullPath(text, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(errors.File))!) : null;

    private string? PlainText() => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: { } text } ? text : null;
}
