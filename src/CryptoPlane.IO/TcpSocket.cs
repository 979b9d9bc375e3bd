using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO;

/// <summary>
/// Non-blocking calls on a connected TCP socket by its raw descriptor, on the lcore that owns it. EINTR is retried; nothing throws,
/// and a broken connection raises no signal.
/// </summary>
public static unsafe class TcpSocket
{
    /// <summary>Receives what is there.</summary>
    /// <param name="socket">The descriptor.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">At most this many bytes; more than 0.</param>
    /// <param name="received">How many came.</param>
    /// <returns><see cref="IoStatus.Closed"/> when the peer has closed its direction and everything was read.</returns>
    public static IoStatus Receive(int socket, byte* buffer, int length, out int received)
    {
        while (true)
        {
            nint count = Libc.Receive(socket, buffer, (nuint)length, Libc.MSG_DONTWAIT);
            if (count > 0)
            {
                received = (int)count;
                return IoStatus.Done;
            }
            received = 0;
            if (count == 0)
                return IoStatus.Closed;
            int error = Errno.Last;
            if (error != Errno.EINTR)
                return Errno.StatusOf(error);
        }
    }

    /// <summary>Sends what the socket takes.</summary>
    /// <param name="socket">The descriptor.</param>
    /// <param name="buffer">From where.</param>
    /// <param name="length">Bytes; more than 0.</param>
    /// <param name="sent">How many were taken: perhaps fewer than <paramref name="length"/>, the rest waits for the next time.</param>
    public static IoStatus Send(int socket, byte* buffer, int length, out int sent)
    {
        while (true)
        {
            nint count = Libc.Send(socket, buffer, (nuint)length, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (count >= 0)
            {
                sent = (int)count;
                return IoStatus.Done;
            }
            sent = 0;
            int error = Errno.Last;
            if (error != Errno.EINTR)
                return Errno.StatusOf(error);
        }
    }

    /// <summary>Sends several pieces of memory, one behind the other, as far as the socket takes them.</summary>
    /// <param name="socket">The descriptor.</param>
    /// <param name="vectors">The pieces.</param>
    /// <param name="count">How many; at most 1024.</param>
    /// <param name="sent">Bytes taken, over all pieces: perhaps ending in the middle of one.</param>
    public static IoStatus SendVector(int socket, IoVector* vectors, int count, out long sent)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        while (true)
        {
            nint bytes = Libc.SendMessage(socket, &message, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (bytes >= 0)
            {
                sent = bytes;
                return IoStatus.Done;
            }
            sent = 0;
            int error = Errno.Last;
            if (error != Errno.EINTR)
                return Errno.StatusOf(error);
        }
    }

    /// <summary>Bytes written to the socket that the peer has not acknowledged yet; -1 if the descriptor is no TCP socket.</summary>
    public static int UnsentBytes(int socket)
    {
        int bytes;
        return Libc.Ioctl(socket, Libc.SIOCOUTQ, &bytes) == 0 ? bytes : -1;
    }

    /// <summary>The error that is pending on the socket (an errno), or 0. Reading it clears it.</summary>
    public static int PendingError(int socket)
    {
        int error;
        uint length = sizeof(int);
        return Libc.GetSocketOption(socket, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length) == 0 ? error : Errno.Last;
    }

    /// <summary>Makes every call on the descriptor non-blocking, whoever makes it.</summary>
    public static bool SetNonBlocking(int socket)
    {
        int flags = Libc.Fcntl(socket, Libc.F_GETFL, 0);
        return flags >= 0 && Libc.Fcntl(socket, Libc.F_SETFL, flags | Libc.O_NONBLOCK) == 0;
    }

    /// <summary>Turns Nagle's algorithm off: what is written in bursts need not wait for more.</summary>
    public static bool SetNoDelay(int socket, bool on = true) => SetOption(socket, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, on ? 1 : 0);

    /// <summary>Bounds what the kernel buffers for sending, and ends its automatic growth. The kernel doubles the figure for its own overhead.</summary>
    public static bool SetSendBuffer(int socket, int bytes) => SetOption(socket, Libc.SOL_SOCKET, Libc.SO_SNDBUF, bytes);

    /// <summary>Bounds what the kernel buffers for receiving, and ends its automatic growth.</summary>
    public static bool SetReceiveBuffer(int socket, int bytes) => SetOption(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF, bytes);

    /// <summary>The socket counts as writable only while fewer bytes than this wait that were not sent yet (a bound on queueing delay).</summary>
    public static bool SetNotSentLowWater(int socket, int bytes) => SetOption(socket, Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, bytes);

    /// <summary>Ends the sending direction: the peer reads an end of file behind what was sent.</summary>
    public static void ShutdownSend(int socket) => _ = Libc.Shutdown(socket, 1);

    /// <summary>Ends both directions.</summary>
    public static void Shutdown(int socket) => _ = Libc.Shutdown(socket, 2);

    /// <summary>Closes the descriptor. Never retried: Linux has released it even when it reports EINTR.</summary>
    public static void Close(int socket) => _ = Libc.Close(socket);

    private static bool SetOption(int socket, int level, int name, int value) =>
        Libc.SetSocketOption(socket, level, name, &value, sizeof(int)) == 0;
}
