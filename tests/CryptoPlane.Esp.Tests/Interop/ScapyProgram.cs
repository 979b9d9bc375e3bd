using System.Text.Json;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Interop;

/// <summary>What scapy_esp.py is to do; its names are the script's.</summary>
internal sealed record ScapyCase(
    string action, string algorithm, string key, uint spi, bool esn, ulong sequence, bool udp, string source, string destination, string packet,
    bool transport = false, string? auth_algorithm = null, string? auth_key = null);

/// <summary>What became of it.</summary>
internal sealed record ScapyResult(string? packet, string? error);

/// <summary>scapy's ESP, by the script beside this file.</summary>
internal static class ScapyProgram
{
    /// <summary>One process for all cases: Python and scapy take a second to start.</summary>
    public static ScapyResult[] Run(string python, List<ScapyCase> cases)
    {
        string script = RepositoryRoot.PathOf("tests", "CryptoPlane.Esp.Tests", "Interop", "scapy_esp.py");
        ProgramResult result = ExternalProgram.Run(python, [script], JsonSerializer.Serialize(cases), TimeSpan.FromMinutes(2)).EnsureSuccess();
        ScapyResult[]? results = JsonSerializer.Deserialize<ScapyResult[]>(result.Output);
        Assert.NotNull(results);
        Assert.Equal(cases.Count, results.Length);
        return results;
    }
}
