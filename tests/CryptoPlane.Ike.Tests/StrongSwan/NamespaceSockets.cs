using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.StrongSwan;

/// <summary>Makes sockets that belong to another network namespace than the test's own.</summary>
internal static class NamespaceSockets
{
    private const int CloneNewNet = 0x4000_0000, CloseOnExec = 0x8_0000;

    /// <summary>Binds a UDP socket in a namespace.</summary>
    public static Socket Bind(NetworkNamespace space, IPEndPoint endPoint)
    {
        Socket? made = null;
        Exception? failure = null;
        // A socket stays in the namespace in which it was made; a thread that has entered one ends with that, and is not the pool's.
        Thread thread = new(() =>
        {
            // A namespace's file cannot be sought in, which the framework's own files must.
            int descriptor = Open($"/run/netns/{space.Name}", CloseOnExec);
            try
            {
                if (descriptor < 0 || SetNamespace(descriptor, CloneNewNet) != 0)
                    throw new InvalidOperationException($"the namespace cannot be entered: error {Marshal.GetLastPInvokeError()}");
                made = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                made.Bind(endPoint);
            }
            catch (Exception e)
            {
                failure = e;
            }
            finally
            {
                _ = Close(descriptor);
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? made! : throw new InvalidOperationException($"{endPoint} cannot be bound in {space.Name}.", failure);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi)]
    private static extern int Open(string path, int flags);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static extern int SetNamespace(int descriptor, int type);
}
