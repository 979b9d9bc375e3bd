namespace VpnBroker.DataPlane.Cstp;

/// <summary>What a CSTP frame is; the numbers are those on the wire.</summary>
internal enum CstpType : byte
{
    /// <summary>One inner IP packet.</summary>
    Data = 0,

    /// <summary>"Are you alive?": answered with the same payload.</summary>
    DpdRequest = 3,

    /// <summary>The answer to <see cref="DpdRequest"/>.</summary>
    DpdResponse = 4,

    /// <summary>The sender leaves: a reason byte, then text.</summary>
    Disconnect = 5,

    /// <summary>Keeps the state of middleboxes; no answer.</summary>
    Keepalive = 7,

    /// <summary>A compressed inner packet: never offered here, so never right.</summary>
    Compressed = 8,

    /// <summary>The server ends the session.</summary>
    Terminate = 9,
}
