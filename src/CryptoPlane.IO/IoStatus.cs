namespace CryptoPlane.IO;

/// <summary>How a non-blocking call on a descriptor ended.</summary>
public enum IoStatus
{
    /// <summary>Bytes were moved; perhaps fewer than asked for.</summary>
    Done,

    /// <summary>Nothing can be moved now: wait for the descriptor in an <see cref="EpollSet"/>.</summary>
    WouldBlock,

    /// <summary>The peer has ended or reset the connection.</summary>
    Closed,

    /// <summary>Another error (<see cref="System.Runtime.InteropServices.Marshal.GetLastPInvokeError"/> says which): close the descriptor.</summary>
    Failed,
}
