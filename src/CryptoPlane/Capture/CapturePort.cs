using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>What a capture knows of a port.</summary>
public readonly record struct CapturePort
{
    /// <summary>The port's point: a number below <see cref="CaptureTap.MaxPoints"/>.</summary>
    public required int Point { get; init; }

    /// <summary>What received packets begin with.</summary>
    public required CaptureFraming ReceiveFraming { get; init; }

    /// <summary>What packets to be sent begin with.</summary>
    public required CaptureFraming TransmitFraming { get; init; }

    /// <summary>The local end, for framings without an address.</summary>
    public PacketEndpoint Local { get; init; }
}
