using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Documentation;

/// <summary>What README.md and docs/ promise exists.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string s_readme = File.ReadAllText(RepositoryRoot.PathOf("README.md"));

    [Fact]
    public void Every_example_is_code_that_a_test_runs()
    {
        string tested = Unindented(File.ReadAllText(RepositoryRoot.PathOf("tests", "CryptoPlane.Tests", "Documentation", "ReadmeExamples.cs"))
            + File.ReadAllText(RepositoryRoot.PathOf("tests", "CryptoPlane.Tls.Tests", "Documentation", "ReadmeTlsExample.cs")));
        MatchCollection examples = CodeBlock().Matches(s_readme);
        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.Contains(Unindented(example.Groups["code"].Value), tested));
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/testing.md")]
    [InlineData("docs/broker.md")]
    public void Every_link_and_every_path_leads_somewhere(string document)
    {
        string text = File.ReadAllText(RepositoryRoot.PathOf(document));
        string directory = Path.GetDirectoryName(RepositoryRoot.PathOf(document))!;
        IEnumerable<string> links = Link().Matches(text).Select(match => Path.Combine(directory, match.Groups["path"].Value));
        IEnumerable<string> paths = RepositoryPath().Matches(text).Select(match => RepositoryRoot.PathOf(match.Groups["path"].Value));
        string[] missing = [.. links.Concat(paths).Where(path => !Path.Exists(path)).Distinct()];
        Assert.Empty(missing);
    }

    /// <summary>Without indentation and line ends, so that an example may stand less deep in the page than in the test.</summary>
    private static string Unindented(string code) => Space().Replace(code, " ").Trim();

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)#]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`(?<path>(src|samples|tests|eng|docs|benchmarks|vectors)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
