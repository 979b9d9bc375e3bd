namespace VpnBroker.DataPlane.Dtls;

/// <summary>Which of a user's channels a frame goes by.</summary>
internal enum FrameChannel : byte
{
    /// <summary>Data by DTLS while that works, else by TLS; everything else by TLS.</summary>
    Any = 0,

    /// <summary>DTLS: probes of it, and answers to what came by it.</summary>
    Dtls,
}
