using CryptoPlane.Aead;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>
/// DPDK's software crypto devices in this process, opened once each with a queue pair for every test that may run at the same time.
/// </summary>
internal static class DpdkDevices
{
    private static readonly string[] s_names = ["crypto_aesni_gcm0", "crypto_aesni_mb0", "crypto_openssl0", "crypto_scheduler0"];
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, Cryptodev> s_open = [];
    private static readonly Lazy<string?> s_problem = new(Start);

    /// <summary>Why there are none, for people; null if all is well.</summary>
    public static string? Problem => s_problem.Value;

    /// <summary>The devices that can do AES-GCM, if DPDK is there.</summary>
    public static IReadOnlyList<string> Names => Problem == null ? s_names : [];

    /// <summary>A backend on a queue pair of its own.</summary>
    public static IAeadBackend CreateBackend(string name)
    {
        // A runner that has found the theories in another process comes here without having asked for the names.
        if (Problem is string problem)
            throw new InvalidOperationException(problem);
        lock (s_lock)
        {
            if (!s_open.TryGetValue(name, out Cryptodev? device))
                s_open[name] = device = Cryptodev.Open(Cryptodev.Find(name), new CryptodevOptions { QueuePairs = 8, Depth = 256 });
            return device.CreateBackend();
        }
    }

    private static string? Start()
    {
        try
        {
            Eal.Initialize(new EalOptions
            {
                Memory = EalMemory.NoHugePages,
                VirtualDevices =
                [
                    .. s_names[..3], "crypto_aesni_gcm1", "crypto_aesni_gcm2",
                    $"{s_names[3]},worker=crypto_aesni_gcm1,worker=crypto_aesni_gcm2,mode=round-robin,ordering=enable",
                ],
            });
            return null;
        }
        catch (DpdkException e)
        {
            return e.Message;
        }
    }
}
