using System.Globalization;
using System.Text;

namespace VpnBroker.OpenConnect.Http;

/// <summary>A response on its way out. The broker writes names and values itself, so they are trusted to have no line ends.</summary>
public sealed class HttpResponse
{
    private readonly StringBuilder _head = new(512);
    private byte[] _body = [];

    /// <summary>Begins a response.</summary>
    /// <param name="status">Status code and reason, as <c>200 OK</c>.</param>
    public HttpResponse(string status) => _head.Append("HTTP/1.1 ").Append(status).Append("\r\n");

    /// <summary>Adds a header field.</summary>
    /// <exception cref="ArgumentException">The value has a line end: a header built from input that was not checked.</exception>
    public HttpResponse Header(string name, string value)
    {
        if (value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
            throw new ArgumentException("A header value has no line ends: check what it is made of.", nameof(value));
        _head.Append(name).Append(": ").Append(value).Append("\r\n");
        return this;
    }

    /// <inheritdoc cref="Header(string, string)"/>
    public HttpResponse Header(string name, int value) => Header(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Sets the body with its length and type.</summary>
    public HttpResponse Body(string contentType, byte[] body)
    {
        _body = body;
        return Header("Content-Type", contentType).Header("Content-Length", body.Length);
    }

    /// <summary>The whole response.</summary>
    public byte[] ToBytes() => [.. Encoding.Latin1.GetBytes(_head.ToString()), (byte)'\r', (byte)'\n', .. _body];

    /// <summary>A response with a line of text, for a person with a browser or a log.</summary>
    /// <param name="status">Status code and reason.</param>
    /// <param name="close">Whether the connection closes behind it.</param>
    public static HttpResponse Text(string status, bool close)
    {
        HttpResponse response = new(status);
        if (close)
            response.Header("Connection", "close");
        return response.Body("text/plain; charset=utf-8", Encoding.UTF8.GetBytes(status + "\n"));
    }
}
