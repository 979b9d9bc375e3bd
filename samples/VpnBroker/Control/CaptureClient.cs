using System.Net.Sockets;
using VpnBroker.Capture;

namespace VpnBroker.Control;

/// <summary>A capture that a running broker sends.</summary>
public sealed class CaptureClient : IDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    internal CaptureClient(Socket socket, NetworkStream stream, string message)
    {
        _socket = socket;
        _stream = stream;
        Message = message;
    }

    /// <summary>What is captured, and warnings.</summary>
    public string Message { get; }

    /// <summary>Asks the broker to end; what is left still comes. Any thread.</summary>
    public void End()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It has ended.
        }
    }

    /// <summary>Copies the file to its end.</summary>
    /// <returns>The final counts.</returns>
    /// <exception cref="ControlSocketException">The broker ended in the middle, or sends something else.</exception>
    /// <exception cref="CaptureOutputException">The output takes no more.</exception>
    internal CaptureProgress CopyTo(Stream output, Action<CaptureProgress> report)
    {
        try
        {
            return new CaptureFrameReader(_stream).CopyTo(output, report);
        }
        catch (InvalidDataException e)
        {
            throw new ControlSocketException($"the capture is not complete: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }
}
