using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>Sockets that a process left which ended without closing its ports: a vhost-user server does not start where one is.</summary>
internal static class StaleSockets
{
    /// <summary>Removes the sockets of these devices at which nobody listens.</summary>
    /// <param name="virtualDevices">Devices with their arguments, as the EAL takes them.</param>
    public static void Remove(IReadOnlyList<string> virtualDevices)
    {
        // What cannot be removed (no permission, for one) the EAL will say.
        foreach (string path in virtualDevices.Select(ServerPathOf).OfType<string>())
            _ = NativeDpdk.SocketRemoveStale(path);
    }

    /// <summary>The path of a virtio_user that is the server of its socket, or null.</summary>
    public static string? ServerPathOf(string device)
    {
        string[] words = device.Split(',');
        return words[0].StartsWith("net_virtio_user", StringComparison.Ordinal) && words.Contains("server=1")
            ? words.FirstOrDefault(word => word.StartsWith("path=", StringComparison.Ordinal))?["path=".Length..]
            : null;
    }
}
