using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace VpnBroker.Configuration.Yaml;

/// <summary>Reads YAML text into nodes that know their lines, within bounds.</summary>
internal static class YamlText
{
    /// <summary>Largest file, in characters.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    /// <summary>Deepest nesting: the node tree is built by recursion.</summary>
    private const int MaxDepth = 16;

    /// <summary>The root mapping of a text with one document.</summary>
    /// <exception cref="ConfigException">The text is not YAML, or is not one mapping.</exception>
    public static YamlMappingNode ReadMapping(string file, string text)
    {
        if (text.Length > MaxLength)
            throw Error(file, 1, $"the file is longer than {MaxLength} characters: split it, or look whether it is the right file");
        try
        {
            CheckShape(file, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents is [{ RootNode: YamlMappingNode root }])
                return root;
            long line = stream.Documents is [{ RootNode: var other }] ? other.Start.Line : 1;
            throw Error(file, line, "write keys with values (\"pools: ...\"), in one document");
        }
        catch (YamlException e)
        {
            throw Error(file, Math.Max(1, e.Start.Line), $"this is not valid YAML: {e.Message}");
        }
        // The parser's scanner reports some malformed texts by these, without a place.
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException)
        {
            throw Error(file, 1, $"this is not valid YAML, and the parser cannot say where: {e.Message}");
        }
    }

    /// <summary>Looks at the events before any tree is built: depth, and anchors, which the format does not have.</summary>
    private static void CheckShape(string file, string text)
    {
        var parser = new Parser(new StringReader(text));
        int depth = 0;
        while (parser.MoveNext())
        {
            ParsingEvent current = parser.Current!;
            if (current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
                throw Error(file, current.Start.Line, "write the value out: anchors and aliases are not supported");
            depth += current.NestingIncrease;
            if (depth > MaxDepth)
                throw Error(file, current.Start.Line, $"values are nested deeper than {MaxDepth} levels: no setting needs that");
        }
    }

    private static ConfigException Error(string file, long line, string message) => new([new ConfigError(file, line, "", message)]);
}
