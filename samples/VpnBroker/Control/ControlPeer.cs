using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VpnBroker.Control;

/// <summary>Who is at the other end of the control socket, as the kernel noted it at connect (unix(7), SO_PEERCRED).</summary>
/// <param name="ProcessId">The process.</param>
/// <param name="UserId">Its user.</param>
public readonly record struct ControlPeer(int ProcessId, uint UserId)
{
    /// <summary>Asks the kernel.</summary>
    /// <exception cref="IOException">The socket is no Unix socket.</exception>
    public static ControlPeer Of(Socket client)
    {
        const int solSocket = 1;
        const int soPeerCred = 17;
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        if (client.GetRawSocketOption(solSocket, soPeerCred, credentials) != credentials.Length)
            throw new IOException("SO_PEERCRED did not give a struct ucred.");
        return new ControlPeer(MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials[4..]));
    }
}
