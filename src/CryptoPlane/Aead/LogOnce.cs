namespace CryptoPlane.Aead;

/// <summary>Every lcore makes an engine, and all of them find the same: a line is for the first one only.</summary>
internal static class LogOnce
{
    private static string[] s_lines = [];

    /// <summary>A log that passes each line on once per process; null for none.</summary>
    public static Action<string>? To(Action<string>? log) => log == null ? null : line =>
    {
        // Two engines made at the same moment may both write: a line twice harms nobody.
        string[] lines = s_lines;
        if (Array.IndexOf(lines, line) >= 0)
            return;
        s_lines = [.. lines, line];
        log(line);
    };
}
