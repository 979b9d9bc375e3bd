using System.Net.Sockets;
using System.Text.Json;
using VpnBroker.Status;

namespace VpnBroker.Control;

/// <summary>Asks a running broker over its control socket.</summary>
public static class ControlClient
{
    /// <summary>Sends a request and waits for the answer.</summary>
    /// <exception cref="ControlSocketException">No broker answers there.</exception>
    public static ControlResponse Send(string path, ControlRequest request)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            using var stream = new NetworkStream(socket);
            stream.Write(JsonSerializer.SerializeToUtf8Bytes(request, StatusJson.Default.ControlRequest));
            stream.WriteByte((byte)'\n');
            return JsonSerializer.Deserialize(stream, StatusJson.Default.ControlResponse)
                ?? throw new ControlSocketException($"the broker at {path} gave no answer");
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or ArgumentException)
        {
            throw new ControlSocketException($"no broker answers at {path}: {e.Message} (is it running, and are you root or its user? --socket or --config names another)");
        }
    }
}
