using System.Globalization;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace TlsWebServer;

/// <summary>What is served.</summary>
internal static class Endpoints
{
    private const int BlockSize = 64 * 1024;

    /// <summary>Adds all of it to an application.</summary>
    public static void Map(WebApplication application)
    {
        application.MapGet("/", ShowPage);
        application.MapGet("/connection", context => context.Response.WriteAsJsonAsync(ConnectionReport.Of(context), ConnectionReportContext.Default.ConnectionReport));
        application.MapGet("/download", DownloadAsync);
        application.MapPost("/upload", UploadAsync);
        // RFC 8441: over HTTP/2 a WebSocket begins with CONNECT.
        application.MapMethods("/echo", ["GET", "CONNECT"], EchoAsync);
    }

    /// <summary>The bytes of a download: each the low byte of its place divided by 251, so that a block in the wrong place shows.</summary>
    public static byte DownloadByte(long index) => (byte)(index / 251);

    private static Task ShowPage(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
        return context.Response.WriteAsync(ConnectionReport.Of(context).ToPage());
    }

    private static async Task DownloadAsync(HttpContext context)
    {
        if (!long.TryParse(context.Request.Query["bytes"], NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("Say how many: /download?bytes=N\n");
            return;
        }
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = length;
        byte[] block = new byte[BlockSize];
        for (long done = 0; done < length;)
        {
            int size = (int)Math.Min(length - done, block.Length);
            for (int i = 0; i < size; i++)
                block[i] = DownloadByte(done + i);
            await context.Response.Body.WriteAsync(block.AsMemory(0, size), context.RequestAborted);
            done += size;
        }
    }

    private static async Task UploadAsync(HttpContext context)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockSize];
        long length = 0;
        while (await context.Request.Body.ReadAsync(block, context.RequestAborted) is int count and > 0)
        {
            hash.AppendData(block, 0, count);
            length += count;
        }
        await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{length} {Convert.ToHexStringLower(hash.GetHashAndReset())}\n"));
    }

    private static async Task EchoAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("This is for WebSockets.\n");
            return;
        }
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] block = new byte[BlockSize];
        while (await socket.ReceiveAsync(block, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(block.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
