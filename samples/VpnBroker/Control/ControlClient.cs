using System.Net.Sockets;
using System.Text.Json;
using VpnBroker.Capture;
using VpnBroker.Status;

namespace VpnBroker.Control;

/// <summary>Asks a running broker over its control socket.</summary>
public static class ControlClient
{
    private const int MaxLine = 65_536;

    /// <summary>Sends a request and waits for the answer.</summary>
    /// <exception cref="ControlSocketException">No broker answers there.</exception>
    public static ControlResponse Send(string path, ControlRequest request)
    {
        try
        {
            using Socket socket = Connect(path);
            using var stream = new NetworkStream(socket);
            Write(stream, request);
            return JsonSerializer.Deserialize(stream, StatusJson.Default.ControlResponse)
                ?? throw new ControlSocketException($"the broker at {path} gave no answer");
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or ArgumentException)
        {
            throw NoAnswer(path, e);
        }
    }

    /// <summary>Asks for a capture, which goes on until it is disposed of or has ended by itself.</summary>
    /// <exception cref="ControlSocketException">No broker answers there.</exception>
    /// <exception cref="CaptureRefusedException">The broker does not make it; the message says why.</exception>
    public static CaptureClient OpenCapture(string path, CaptureRequest request)
    {
        Socket? socket = null;
        try
        {
            socket = Connect(path);
            var stream = new NetworkStream(socket);
            Write(stream, new ControlRequest("capture", Capture: request));
            ControlResponse? response = JsonSerializer.Deserialize(ReadLine(stream), StatusJson.Default.ControlResponse);
            if (response?.Error is { } error)
                throw new CaptureRefusedException(error);
            var client = new CaptureClient(socket, stream, response?.Message ?? "");
            socket = null;
            return client;
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or ArgumentException)
        {
            throw NoAnswer(path, e);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    private static Socket Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Write(NetworkStream stream, ControlRequest request) =>
        stream.Write([.. JsonSerializer.SerializeToUtf8Bytes(request, StatusJson.Default.ControlRequest), (byte)'\n']);

    /// <summary>The first line: what is behind it is no JSON any more.</summary>
    private static byte[] ReadLine(NetworkStream stream)
    {
        var line = new List<byte>();
        for (int next = stream.ReadByte(); next is not (-1 or '\n') && line.Count < MaxLine; next = stream.ReadByte())
            line.Add((byte)next);
        return [.. line];
    }

    private static ControlSocketException NoAnswer(string path, Exception e) =>
        new($"no broker answers at {path}: {e.Message} (is it running, and are you root or its user? --socket or --config names another)");
}
