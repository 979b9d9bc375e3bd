using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>A port whose packets can be captured: it passes every call on, and shows the packets to the lcore's tap.</summary>
/// <remarks>Belongs to the port's lcore. It does not own the port.</remarks>
public sealed unsafe class CapturingPort : IPacketPort
{
    private readonly IPacketPort _port;
    private readonly CaptureTap _tap;
    private readonly CapturePort _capture;

    /// <summary>Puts itself before a port.</summary>
    /// <param name="port">The port.</param>
    /// <param name="tap">The tap of the port's lcore.</param>
    /// <param name="capture">The port's point, and what its packets begin with.</param>
    public CapturingPort(IPacketPort port, CaptureTap tap, CapturePort capture)
    {
        ArgumentNullException.ThrowIfNull(port);
        ArgumentNullException.ThrowIfNull(tap);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)capture.Point, (uint)CaptureTap.MaxPoints, nameof(capture));
        _port = port;
        _tap = tap;
        _capture = capture;
    }

    /// <summary>The port behind: where somebody needs to know what kind of port it is.</summary>
    public static IPacketPort? Behind(IPacketPort? port) => port is CapturingPort capturing ? Behind(capturing._port) : port;

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = _port.Receive(burst, capacity);
        if (_tap.IsOn && count > 0)
            _tap.Received(in _capture, burst, count);
        return count;
    }

    /// <inheritdoc/>
    public int Transmit(PacketBuffer** burst, int count)
    {
        if (!_tap.IsOn)
            return _port.Transmit(burst, count);
        // The port returns the buffers that it takes: what is to be seen of them must be copied before.
        long mark = _tap.Sending(in _capture, burst, count);
        int taken = _port.Transmit(burst, count);
        _tap.Sent(mark, in _capture, count, taken);
        return taken;
    }
}
