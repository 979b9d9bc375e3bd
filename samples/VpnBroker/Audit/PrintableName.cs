using System.Text.Encodings.Web;
using VpnBroker.Authentication;

namespace VpnBroker.Audit;

/// <summary>Names that a stranger typed, for logs that people and programs read line by line.</summary>
internal static class PrintableName
{
    private const int MaxLength = 64;

    /// <summary>A name as it is, if it is one that a user can have; else in quotes, escaped and cut, so that no line ends, no blanks that imitate
    /// other fields and no terminal sequences come from it.</summary>
    public static string Of(string name)
    {
        if (UsersFile.IsName(name))
            return name;
        string shown = name.Length <= MaxLength ? name : name[..MaxLength];
        return $"\"{JavaScriptEncoder.Default.Encode(shown)}\"";
    }
}
