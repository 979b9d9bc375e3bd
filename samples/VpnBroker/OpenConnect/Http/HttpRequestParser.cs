using System.Buffers;
using System.Globalization;
using System.Text;

namespace VpnBroker.OpenConnect.Http;

/// <summary>What <see cref="HttpRequestParser.TryParse"/> found.</summary>
public enum HttpParseStatus
{
    /// <summary>The request is not whole yet.</summary>
    NeedMoreData,

    /// <summary>A request was parsed.</summary>
    Complete,

    /// <summary>The bytes are no request: answer 400 and close.</summary>
    Malformed,

    /// <summary>Request line and header fields pass their bound: answer 431 and close.</summary>
    HeaderTooLarge,

    /// <summary>The body passes its bound: answer 413 and close.</summary>
    BodyTooLarge,

    /// <summary>A transfer coding, which no client of this protocol uses: answer 501 and close.</summary>
    NotImplemented,
}

/// <summary>
/// Parses HTTP/1.1 requests (RFC 9112) out of a growing buffer: strict, small and bounded. Nothing here throws on bad input.
/// </summary>
/// <remarks>
/// Strictness is what keeps two readers from seeing two requests in the same bytes: line ends are CRLF, no folded lines, no white
/// space before the colon (§5.1), one Content-Length of digits only (§6.3), no transfer coding beside it.
/// </remarks>
public sealed class HttpRequestParser(int maxHeaderBytes, int maxBodyBytes)
{
    private const int MaxHeaders = 100;

    private static readonly SearchValues<char> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Bytes that were searched for the end of the header before: a trickling client costs one look at each byte.</summary>
    private int _searched;

    /// <summary>Bytes of the request whose header is known by now: a trickled body does not cost another look at the header each time.</summary>
    private int _needed;

    /// <summary>Parses the request at the beginning of a buffer.</summary>
    /// <param name="buffer">All bytes since the end of the last request; only ever longer until a request is complete.</param>
    /// <param name="request">The request, when the status is <see cref="HttpParseStatus.Complete"/>.</param>
    /// <param name="consumed">The request's bytes.</param>
    public HttpParseStatus TryParse(ReadOnlySpan<byte> buffer, out HttpRequest? request, out int consumed)
    {
        request = null;
        consumed = 0;
        if (buffer.Length < _needed)
            return HttpParseStatus.NeedMoreData;
        int start = Math.Max(0, _searched - 3);
        int end = buffer[start..].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            _searched = buffer.Length;
            return buffer.Length > maxHeaderBytes ? HttpParseStatus.HeaderTooLarge : HttpParseStatus.NeedMoreData;
        }
        int headerBytes = start + end + 4;
        if (headerBytes > maxHeaderBytes)
            return HttpParseStatus.HeaderTooLarge;

        // Latin-1 keeps every byte: what is not ASCII is refused where it matters, and carried where the field allows it.
        string[] lines = Encoding.Latin1.GetString(buffer[..(headerBytes - 4)]).Split("\r\n");
        if (!TryParseRequestLine(lines[0], out string method, out string target, out bool version11) || !TryParseHeaders(lines, out Dictionary<string, string> headers))
            return HttpParseStatus.Malformed;
        if (headers.ContainsKey("Transfer-Encoding"))
            return HttpParseStatus.NotImplemented;
        // RFC 9112 §3.2: a request of HTTP/1.1 without Host is bad.
        if (version11 && !headers.ContainsKey("Host"))
            return HttpParseStatus.Malformed;

        int bodyBytes = 0;
        if (headers.TryGetValue("Content-Length", out string? length))
        {
            if (length.Length is 0 or > 18 || !length.All(char.IsAsciiDigit))
                return HttpParseStatus.Malformed;
            long value = long.Parse(length, CultureInfo.InvariantCulture);
            if (value > maxBodyBytes)
                return HttpParseStatus.BodyTooLarge;
            bodyBytes = (int)value;
        }
        if (buffer.Length - headerBytes < bodyBytes)
        {
            _needed = headerBytes + bodyBytes;
            return HttpParseStatus.NeedMoreData;
        }

        _searched = _needed = 0;
        consumed = headerBytes + bodyBytes;
        request = new HttpRequest(method, target, KeepsAlive(headers, version11), headers, buffer.Slice(headerBytes, bodyBytes).ToArray());
        return HttpParseStatus.Complete;
    }

    private static bool TryParseRequestLine(string line, out string method, out string target, out bool version11)
    {
        method = target = "";
        version11 = false;
        string[] parts = line.Split(' ');
        if (parts.Length != 3 || parts[2] is not ("HTTP/1.1" or "HTTP/1.0"))
            return false;
        (method, target) = (parts[0], parts[1]);
        version11 = parts[2] == "HTTP/1.1";
        return method.Length is > 0 and <= 16 && !method.AsSpan().ContainsAnyExcept(s_token)
            && target.Length != 0 && target[0] == '/' && target.All(c => c is > ' ' and < '\x7f');
    }

    private static bool TryParseHeaders(string[] lines, out Dictionary<string, string> headers)
    {
        headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (lines.Length - 1 > MaxHeaders)
            return false;
        foreach (string line in lines.AsSpan(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAnyExcept(s_token))
                return false;
            string value = line.AsSpan(colon + 1).Trim([' ', '\t']).ToString();
            if (value.Any(c => c is < ' ' and not '\t' or '\x7f'))
                return false;
            string name = line[..colon];
            if (headers.TryGetValue(name, out string? earlier))
                headers[name] = $"{earlier},{value}";
            else
                headers.Add(name, value);
        }
        return true;
    }

    private static bool KeepsAlive(Dictionary<string, string> headers, bool version11)
    {
        if (!headers.TryGetValue("Connection", out string? connection))
            return version11;
        string[] options = connection.Split(',', StringSplitOptions.TrimEntries);
        return version11
            ? !options.Contains("close", StringComparer.OrdinalIgnoreCase)
            : options.Contains("keep-alive", StringComparer.OrdinalIgnoreCase);
    }
}
