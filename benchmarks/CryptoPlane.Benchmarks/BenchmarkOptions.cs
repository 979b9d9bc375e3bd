using System.Diagnostics.CodeAnalysis;

namespace CryptoPlane.Benchmarks;

/// <summary>The command line.</summary>
internal sealed record BenchmarkOptions(string Suite, bool Quick, string? JsonFile, string? DocsFolder, string? Command, bool Help)
{
    public const string Usage = """
        usage: CryptoPlane.Benchmarks SUITE [--quick] [--json FILE] [--docs DIR] [--command TEXT]

          SUITE        aead: AEAD operations against intel-ipsec-mb, OpenSSL's EVP, the framework's classes and BouncyCastle
                       esp:  ESP packets over up to 100,000 SAs against DPDK's librte_ipsec, beside the AEAD alone
                       flows: flow tables of up to 1,000,000 flows against DPDK's rte_hash and Dictionary; expiry in slices
                       switch: ESP to ESP through one lcore of the broker, beside the AEAD alone
                       tls:  TLS 1.3 records and handshakes against libssl and SslStream
                       cryptodev: AES-GCM through DPDK's crypto devices against dpdk-test-crypto-perf
          --quick      fewer sizes and shorter repetitions: within 60 s
          --json FILE  write the figures to FILE as well
          --docs DIR   aead, esp, flows, switch, cryptodev and tls: write the suite's page and its charts to DIR
          --command T  what to call the command on that page
        """;

    private static readonly string[] s_suites = ["aead", "esp", "flows", "switch", "tls", "cryptodev"];
    private static readonly string[] s_published = ["aead", "esp", "flows", "switch", "cryptodev", "tls"];

    public static bool TryParse(string[] arguments, [NotNullWhen(true)] out BenchmarkOptions? options, out string message)
    {
        options = new BenchmarkOptions("", false, null, null, null, false);
        message = "";
        for (int i = 0; i < arguments.Length && message.Length == 0; i++)
        {
            switch (arguments[i])
            {
                case "--quick":
                    options = options with { Quick = true };
                    break;
                case "--help" or "-h":
                    options = options with { Help = true };
                    break;
                case "--json" when i + 1 < arguments.Length:
                    options = options with { JsonFile = arguments[++i] };
                    break;
                case "--docs" when i + 1 < arguments.Length:
                    options = options with { DocsFolder = arguments[++i] };
                    break;
                case "--command" when i + 1 < arguments.Length:
                    options = options with { Command = arguments[++i] };
                    break;
                case string word when options.Suite.Length == 0 && s_suites.Contains(word):
                    options = options with { Suite = word };
                    break;
                default:
                    message = $"'{arguments[i]}' is not understood.";
                    break;
            }
        }
        if (message.Length == 0 && options is { Suite: "", Help: false })
            message = "Which suite?";
        if (message.Length == 0 && options.DocsFolder is not null && !s_published.Contains(options.Suite))
            message = $"--docs is for {string.Join(", ", s_published)}.";
        if (message.Length == 0)
            return true;
        message += Environment.NewLine + Usage;
        options = null;
        return false;
    }
}
