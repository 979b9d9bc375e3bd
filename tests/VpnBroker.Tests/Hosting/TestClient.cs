using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using CryptoPlane.Tls;

namespace VpnBroker.Tests.Hosting;

/// <summary>A client that speaks TLS 1.3, HTTP and CSTP over a blocking socket, as politely or rudely as a test wants.</summary>
internal sealed partial class TestClient : IDisposable
{
    private readonly Socket _socket;
    private readonly TlsClient _tls;
    private readonly byte[] _received = new byte[TlsConnection.MaxRecordSize];
    private readonly byte[] _sending = new byte[65536];
    private int _receivedCount;

    public TestClient(IPEndPoint server, string pin, IPAddress? from = null, TlsCredential? credential = null)
    {
        _socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        if (from is not null)
            _socket.Bind(new IPEndPoint(from, 0));
        _socket.Connect(server);
        _tls = new TlsClient(new TlsClientOptions("localhost") { PinnedKeys = [Convert.FromBase64String(pin["pin-sha256:".Length..])], TrustPinnedKeysAlone = true, Credentials = credential is null ? [] : [credential] });
        while (true)
        {
            TlsStatus status = _tls.Handshake(_received.AsSpan(0, _receivedCount), _sending, out int consumed, out int written);
            Consume(consumed);
            _socket.Send(_sending, 0, written, SocketFlags.None);
            switch (status)
            {
                case TlsStatus.Complete:
                    return;
                case TlsStatus.DestinationTooSmall:
                    break;
                case TlsStatus.NeedMoreData:
                    Assert.True(ReceiveMore(), "the server closed the connection in the handshake");
                    break;
                case TlsStatus.Failed or TlsStatus.Closed:
                    Assert.Fail(_tls.Error?.ToString() ?? "closed");
                    break;
                default:
                    _tls.PendingWork!.Execute();
                    break;
            }
        }
    }

    /// <summary>The verify_data of this connection's client Finished.</summary>
    public byte[] ClientFinished => _tls.ClientFinished.ToArray();

    /// <summary>Sends a text in one record.</summary>
    public void Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends bytes in one record.</summary>
    public void Send(byte[] bytes)
    {
        Assert.Equal(TlsStatus.Complete, _tls.Write(bytes, _sending, out _, out int written));
        _socket.Send(_sending, 0, written, SocketFlags.None);
    }

    /// <summary>Seals without sending: for records that go out together.</summary>
    public byte[] Seal(byte[] bytes)
    {
        Assert.Equal(TlsStatus.Complete, _tls.Write(bytes, _sending, out _, out int written));
        return _sending[..written];
    }

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(byte[] bytes) => _socket.Send(bytes);

    /// <summary>Reads one record's plaintext; null at the end of the connection.</summary>
    public byte[]? Receive()
    {
        byte[] plaintext = new byte[TlsConnection.MaxPlaintextSize];
        while (true)
        {
            TlsStatus status = _tls.Read(_received.AsSpan(0, _receivedCount), plaintext, out int consumed, out int written);
            Consume(consumed);
            if (status == TlsStatus.Complete)
                return plaintext[..written];
            if (status != TlsStatus.NeedMoreData || !ReceiveMore())
                return null;
        }
    }

    /// <summary>Sends a request and reads the response.</summary>
    public Reply Request(string request)
    {
        Send(request);
        return ReadReply();
    }

    /// <summary>Reads a response with its body.</summary>
    public Reply ReadReply()
    {
        string text = "";
        while (true)
        {
            int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                Match length = ContentLength().Match(text[..end]);
                int body = length.Success ? int.Parse(length.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : 0;
                if (text.Length >= end + 4 + body)
                    return new Reply(text[..end], text.Substring(end + 4, body));
            }
            byte[]? more = Receive();
            if (more is null)
                return new Reply("", "");
            text += Encoding.Latin1.GetString(more);
        }
    }

    /// <summary>Logs in; returns the cookie, or null when the server asks again.</summary>
    public string? LogIn(string user, string password, string headers = "")
    {
        Reply reply = Request(Post("/auth", $"<config-auth type=\"auth-reply\"><auth><username>{user}</username><password>{password}</password></auth></config-auth>", headers));
        Match cookie = Cookie().Match(reply.Head);
        return cookie.Success ? cookie.Groups[1].Value : null;
    }

    /// <summary>Asks for the end of a cookie's session.</summary>
    public Reply LogOut(string cookie) => Request(Post("/", "<config-auth type=\"logout\"/>", $"Cookie: webvpn={cookie}\r\n"));

    /// <summary>Asks for a tunnel.</summary>
    public Reply Connect(string cookie, string headers = "") => Request(ConnectRequest(cookie, headers));

    public static string ConnectRequest(string cookie, string headers = "") =>
        $"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: localhost\r\n{headers}Cookie: webvpn={cookie}\r\nX-CSTP-Version: 1\r\nX-CSTP-Address-Type: IPv6,IPv4\r\n\r\n";

    public static string Post(string target, string body, string headers = "") =>
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}";

    public static byte[] Cstp(byte type, params byte[] payload) =>
        [(byte)'S', (byte)'T', (byte)'F', 1, (byte)(payload.Length >> 8), (byte)payload.Length, type, 0, .. payload];

    public void Dispose()
    {
        _tls.Dispose();
        _socket.Dispose();
    }

    private bool ReceiveMore()
    {
        try
        {
            int count = _socket.Receive(_received, _receivedCount, _received.Length - _receivedCount, SocketFlags.None);
            _receivedCount += count;
            return count != 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return false;
        }
    }

    private void Consume(int count)
    {
        _received.AsSpan(count, _receivedCount - count).CopyTo(_received);
        _receivedCount -= count;
    }

    [GeneratedRegex("Content-Length: ([0-9]+)")]
    private static partial Regex ContentLength();

    [GeneratedRegex("Set-Cookie: webvpn=([0-9a-f]{64});")]
    private static partial Regex Cookie();
}

/// <summary>A response.</summary>
/// <param name="Head">Status line and headers; empty when the connection ended.</param>
/// <param name="Body">The body.</param>
internal sealed record Reply(string Head, string Body)
{
    public string Status => Head.Split("\r\n")[0];
}
