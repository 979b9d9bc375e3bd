using System.Diagnostics.CodeAnalysis;
using YamlDotNet.RepresentationModel;

namespace VpnBroker.Configuration.Yaml;

/// <summary>A mapping of the file. It remembers which keys were asked for, so that the others can be refused.</summary>
internal sealed class ConfigMap
{
    private readonly Dictionary<string, ConfigNode> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly ConfigErrors _errors;

    public ConfigMap(YamlMappingNode node, string path, ConfigErrors errors)
    {
        Path = path;
        Line = node.Start.Line;
        _errors = errors;
        foreach ((YamlNode keyNode, YamlNode value) in node.Children)
        {
            if (keyNode is YamlScalarNode { Value: { Length: > 0 } key })
                _values.Add(key, new ConfigNode(value, Join(key), errors));
            else
                errors.Add(keyNode.Start.Line, path, "write a word as the key");
        }
    }

    /// <summary>The key of this mapping with its parents; empty for the root.</summary>
    public string Path { get; }

    /// <summary>The line, from 1.</summary>
    public long Line { get; }

    /// <summary>Where errors go.</summary>
    public ConfigErrors Errors => _errors;

    /// <summary>The keys, for mappings whose keys are names of the operator's.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>The value of a key, or null when the file does not have it.</summary>
    public ConfigNode? Find(string key)
    {
        _known.Add(key);
        return _values.TryGetValue(key, out ConfigNode value) ? value : null;
    }

    /// <summary>The value of a key; an error when the file does not have it.</summary>
    public ConfigNode? Require(string key)
    {
        ConfigNode? value = Find(key);
        if (value is null)
            _errors.Add(Line, Join(key), "this key is missing: add it");
        return value;
    }

    /// <summary>Notes an error at the mapping.</summary>
    public void Fail(string message) => _errors.Add(Line, Path, message);

    public string? Text(string key) => Find(key)?.AsText();

    public bool Flag(string key, bool otherwise) => Find(key)?.AsFlag() ?? otherwise;

    public int Number(string key, int otherwise, int minimum, int maximum) => (int)(Find(key)?.AsNumber(minimum, maximum) ?? otherwise);

    public int Seconds(string key, int otherwise, bool neverAllowed, int maximum = 366 * 86400) =>
        Find(key)?.AsSeconds(neverAllowed, maximum) ?? otherwise;

    public ConfigMap? Section(string key) => Find(key)?.AsMap();

    /// <summary>The parsed items of a list; null when the file does not have the key. Items behind an error are left out.</summary>
    public IReadOnlyList<T>? List<T>(string key, ConfigParser<T> parse)
    {
        if (Find(key) is not { } node)
            return null;
        var items = new List<T>();
        foreach (ConfigNode item in node.AsList())
        {
            if (parse(item, out T? value))
                items.Add(value);
        }
        return items;
    }

    /// <summary>Notes an error for each key that nobody asked for.</summary>
    public void RefuseUnknownKeys()
    {
        foreach ((string key, ConfigNode value) in _values)
        {
            if (_known.Contains(key))
                continue;
            string? near = _known.Where(known => Distance(known, key) <= 2).MinBy(known => Distance(known, key));
            string hint = near is not null ? $"did you mean \"{near}\"?" : $"known here: {string.Join(", ", _known)}";
            value.Fail($"there is no such key; {hint}");
        }
    }

    private string Join(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>How many letters must be inserted, removed or changed, for "did you mean".</summary>
    private static int Distance(string left, string right)
    {
        left = left.ToLowerInvariant();
        right = right.ToLowerInvariant();
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int substitution = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}

/// <summary>Parses one value; false behind an error that was noted.</summary>
internal delegate bool ConfigParser<T>(ConfigNode node, [NotNullWhen(true)] out T? value);
