using System.Text.Json;

namespace CryptoPlane.TestKit;

/// <summary>What a Wycheproof test expects.</summary>
public enum WycheproofResult
{
    /// <summary>The implementation must accept.</summary>
    Valid,

    /// <summary>The implementation must refuse.</summary>
    Invalid,

    /// <summary>Either is right; the flags say why.</summary>
    Acceptable,
}

/// <summary>One test of a <see cref="WycheproofFile"/>.</summary>
public readonly struct WycheproofTest
{
    internal WycheproofTest(JsonElement group, JsonElement test)
    {
        Group = group;
        Test = test;
    }

    /// <summary>The group's own properties.</summary>
    public JsonElement Group { get; }

    /// <summary>The test's own properties.</summary>
    public JsonElement Test { get; }

    /// <summary>The test's number in its file.</summary>
    public int Id => Test.GetProperty("tcId").GetInt32();

    /// <summary>What the test is about; empty where the file does not say.</summary>
    public string Comment => Test.TryGetProperty("comment", out JsonElement comment) ? comment.GetString()! : "";

    /// <summary>What must come of it.</summary>
    public WycheproofResult Result => Test.GetProperty("result").GetString() switch
    {
        "valid" => WycheproofResult.Valid,
        "invalid" => WycheproofResult.Invalid,
        "acceptable" => WycheproofResult.Acceptable,
        string other => throw new InvalidDataException($"Test {Id} has the unknown result '{other}'."),
        null => throw new InvalidDataException($"Test {Id} has no result."),
    };

    /// <summary>Flags such as <c>ModifiedTag</c>.</summary>
    public IEnumerable<string> Flags => Test.TryGetProperty("flags", out JsonElement flags) ? flags.EnumerateArray().Select(flag => flag.GetString()!) : [];

    /// <summary>A hexadecimal property of the test.</summary>
    public byte[] Hex(string property) => Convert.FromHexString(Test.GetProperty(property).GetString()!);

    /// <summary>An integer property of the group, such as <c>keySize</c> in bits.</summary>
    public int GroupInt(string property) => Group.GetProperty(property).GetInt32();

    /// <inheritdoc/>
    public override string ToString() => $"tcId {Id} ({Comment})";
}
