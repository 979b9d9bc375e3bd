using System.Runtime.InteropServices;

namespace CryptoPlane.IO.Interop;

/// <summary>Error numbers of Linux (asm-generic, which x86-64 and arm64 use).</summary>
internal static class Errno
{
    public const int EINTR = 4, EIO = 5, EAGAIN = 11, ENOMEM = 12, EINVAL = 22, EPIPE = 32, EMSGSIZE = 90, ENOBUFS = 105,
        ECONNRESET = 104, ECONNABORTED = 103, ENOTCONN = 107, ETIMEDOUT = 110, ECONNREFUSED = 111, EHOSTUNREACH = 113,
        ENETUNREACH = 101, ENETDOWN = 100;

    /// <summary>The error number of the last call on this thread.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>What a failed non-blocking call on a stream socket means to its caller.</summary>
    public static IoStatus StatusOf(int error) => error switch
    {
        EAGAIN => IoStatus.WouldBlock,
        EPIPE or ECONNRESET or ECONNABORTED or ETIMEDOUT or EHOSTUNREACH or ENETUNREACH => IoStatus.Closed,
        _ => IoStatus.Failed,
    };

    /// <summary>An exception for a control-path call that must not fail.</summary>
    public static InvalidOperationException Failure(string call, string whatToDo) =>
        new($"{call} failed (errno {Last}, {Marshal.GetLastPInvokeErrorMessage()}): {whatToDo}");
}
