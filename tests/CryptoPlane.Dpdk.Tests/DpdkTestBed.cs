using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests;

/// <summary>The EAL of this test program, with one software device of every driver that the tests use: DPDK is initialised once per process.</summary>
internal static class DpdkTestBed
{
    /// <summary>Multi-buffer AES-GCM of intel-ipsec-mb, its GCM alone, OpenSSL, and two of these behind DPDK's scheduler.</summary>
    public const string Gcm = "crypto_aesni_gcm0", Mb = "crypto_aesni_mb0", OpenSsl = "crypto_openssl0", Scheduler = "crypto_scheduler0";

    /// <summary>A device that does nothing, and so has no AES-GCM.</summary>
    public const string Null = "crypto_null0";

    /// <summary>Rings in memory, whose frames come back to who sent them; each test that opens one has one of its own.</summary>
    public const string Ring = "net_ring0", SecondRing = "net_ring1";

    /// <summary>A port that takes everything and gives empty frames of 64 bytes.</summary>
    public const string NullPort = "net_null0";

    private static readonly Lazy<Exception?> s_start = new(Start);

    /// <summary>The devices that encrypt.</summary>
    public static TheoryData<string> Devices => [Gcm, Mb, OpenSsl, Scheduler];

    /// <summary>Initialises the EAL if no test has yet; without DPDK the test is skipped, or fails in CI.</summary>
    public static void Require() =>
        Requirement.That(s_start.Value == null, s_start.Value == null ? "" : $"DPDK does not start: {s_start.Value.Message}");

    /// <summary>Opens a device for one test.</summary>
    public static Cryptodev Open(string name, CryptodevOptions? options = null)
    {
        Require();
        return Cryptodev.Open(Cryptodev.Find(name), options);
    }

    private static Exception? Start()
    {
        try
        {
            Eal.Initialize(new EalOptions
            {
                // Works on any machine, with and without huge pages and privileges.
                Memory = EalMemory.NoHugePages,
                VirtualDevices =
                [
                    Ring, SecondRing, $"{NullPort},size=64", "net_null1,size=64", "net_null2", Gcm, Mb, OpenSsl, Null, "crypto_aesni_gcm1", "crypto_aesni_gcm2",
                    $"{Scheduler},worker=crypto_aesni_gcm1,worker=crypto_aesni_gcm2,mode=round-robin,ordering=enable",
                ],
            });
            return null;
        }
        catch (DpdkException e)
        {
            return e;
        }
    }
}
