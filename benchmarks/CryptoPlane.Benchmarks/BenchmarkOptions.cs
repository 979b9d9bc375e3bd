using System.Diagnostics.CodeAnalysis;

namespace CryptoPlane.Benchmarks;

/// <summary>The command line.</summary>
internal sealed record BenchmarkOptions(string Suite, bool Quick, string? JsonFile, bool Help)
{
    public const string Usage = """
        usage: CryptoPlane.Benchmarks SUITE [--quick] [--json FILE]

          SUITE        aead: single AEAD operations against the framework's classes and OpenSSL's EVP
                       tls:  TLS 1.3 records against SslStream
          --quick      fewer sizes and shorter repetitions: within 60 s
          --json FILE  write the figures to FILE as well
        """;

    private static readonly string[] s_suites = ["aead", "tls"];

    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out BenchmarkOptions? options, out string message)
    {
        string suite = "";
        string? json = null;
        bool quick = false, help = false;
        options = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--quick":
                    quick = true;
                    break;
                case "--help" or "-h":
                    help = true;
                    break;
                case "--json" when i + 1 < arguments.Length:
                    json = arguments[++i];
                    break;
                case string word when suite.Length == 0 && s_suites.Contains(word):
                    suite = word;
                    break;
                default:
                    message = $"'{arguments[i]}' is not understood.{Environment.NewLine}{Usage}";
                    return false;
            }
        }
        if (suite.Length == 0 && !help)
        {
            message = $"Which suite?{Environment.NewLine}{Usage}";
            return false;
        }
        options = new BenchmarkOptions(suite, quick, json, help);
        message = "";
        return true;
    }
}
