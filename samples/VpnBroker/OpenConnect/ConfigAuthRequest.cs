using System.Xml;

namespace VpnBroker.OpenConnect;

/// <summary>What a client's <c>config-auth</c> document asks for.</summary>
public enum ConfigAuthType
{
    /// <summary><c>init</c>: the client wants the first form.</summary>
    Init,

    /// <summary><c>auth-reply</c>: the client answers a form.</summary>
    AuthReply,

    /// <summary><c>logout</c>: the client ends its session.</summary>
    Logout,
}

/// <summary>A client's <c>config-auth</c> document.</summary>
/// <param name="Type">What it asks for.</param>
/// <param name="Answers">The fields below <c>auth</c>, by element name; empty unless the type is auth-reply.</param>
public sealed record ConfigAuthRequest(ConfigAuthType Type, IReadOnlyDictionary<string, string> Answers)
{
    private const int MaxCharacters = 65536;
    private const int MaxDepth = 16;
    private const int MaxAnswers = 32;
    private const int MaxAnswerLength = 4096;

    /// <summary>Parses a document: no DTD, no external entity, bounded size and depth.</summary>
    /// <returns>Null when the bytes are no such document. It does not throw.</returns>
    public static ConfigAuthRequest? TryParse(byte[] document)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxCharacters,
            MaxCharactersFromEntities = 1024,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(document, writable: false), settings);
            return Read(reader);
        }
        // XmlReader reports malformed input by exceptions, and one of an encoding that does not exist as ArgumentException.
        catch (Exception e) when (e is XmlException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }

    private static ConfigAuthRequest? Read(XmlReader reader)
    {
        if (reader.MoveToContent() != XmlNodeType.Element || reader.Name != "config-auth")
            return null;
        ConfigAuthType? type = reader.GetAttribute("type") switch
        {
            "init" => ConfigAuthType.Init,
            "auth-reply" => ConfigAuthType.AuthReply,
            "logout" => ConfigAuthType.Logout,
            _ => null,
        };
        var answers = new Dictionary<string, string>(StringComparer.Ordinal);
        bool inAuth = false;
        string? field = null;
        while (reader.Read())
        {
            if (reader.Depth > MaxDepth)
                return null;
            switch (reader.NodeType)
            {
                case XmlNodeType.Element when reader.Depth == 1:
                    inAuth = reader.Name == "auth" && !reader.IsEmptyElement;
                    break;
                case XmlNodeType.Element when reader.Depth == 2 && inAuth:
                    field = reader.IsEmptyElement ? null : reader.Name;
                    if (answers.Count >= MaxAnswers || !answers.TryAdd(reader.Name, ""))
                        return null;
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace when reader.Depth == 3 && field is not null:
                    answers[field] += reader.Value;
                    if (answers[field].Length > MaxAnswerLength)
                        return null;
                    break;
                case XmlNodeType.EndElement when reader.Depth == 2:
                    field = null;
                    break;
            }
        }
        return type is null ? null : new ConfigAuthRequest(type.Value, answers);
    }
}
