namespace VpnBroker.OpenConnect.Http;

/// <summary>A parsed request.</summary>
/// <param name="Method">The method, as sent.</param>
/// <param name="Target">The request target: a path.</param>
/// <param name="KeepAlive">Whether the connection stays open behind the response.</param>
/// <param name="Headers">Header fields by name, whatever their case; values of equal names joined by a comma (RFC 9110 §5.2).</param>
/// <param name="Body">The body; empty when there is none.</param>
public sealed record HttpRequest(string Method, string Target, bool KeepAlive, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The value of a cookie, or null.</summary>
    public string? Cookie(string name)
    {
        if (!Headers.TryGetValue("Cookie", out string? header))
            return null;
        foreach (string pair in header.Split([';', ','], StringSplitOptions.TrimEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && pair.AsSpan(0, equals).SequenceEqual(name))
                return pair[(equals + 1)..];
        }
        return null;
    }
}
