using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;
using CryptoPlane.Dpdk;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Dpdk;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>DPDK's environment in this test program, with software devices: it starts once per process, so all tests share it.</summary>
internal static class DpdkBed
{
    /// <summary>Names a crypto device on which every <c>WorkerBed</c> of the process is to work.</summary>
    public const string DeviceVariable = "CRYPTOPLANE_TEST_CRYPTO_DEVICE";

    /// <summary>Devices that a test may open for itself.</summary>
    public const string First = "crypto_aesni_gcm0", Second = "crypto_aesni_gcm1", Null = "crypto_null0";

    private static readonly Lazy<Exception?> s_start = new(Start);
    private static readonly Lazy<Cryptodev> s_shared = new(OpenShared);

    /// <summary>Starts the environment; where that fails the test is skipped, or fails in CI.</summary>
    public static void Require() =>
        Requirement.That(s_start.Value == null, s_start.Value == null ? "" : $"DPDK does not start: {s_start.Value.Message}");

    /// <summary>What an lcore under test works with: the CPU's engine, or the device that the environment variable names.</summary>
    public static LcoreSupplies Supplies()
    {
        if (Environment.GetEnvironmentVariable(DeviceVariable) == null)
            return new LcoreSupplies();
        return new LcoreSupplies { Engine = CreateEngine(s_shared.Value.CreateBackend()), Memory = new DpdkPacketMemory() };
    }

    /// <summary>An engine that gives everything to a device that it can.</summary>
    public static AeadEngine CreateEngine(IAeadDevice device) => new(
        new DispatchBackend(device, AeadBackends.CreateManaged(), new DispatchOptions { PreferDevice = true }),
        new OtherAlgorithmsBackend(AeadBackends.CreateManaged()),
        AeadBackends.CreatePortable());

    private static Cryptodev OpenShared()
    {
        Require();
        CryptodevInfo info = Cryptodev.Find(Environment.GetEnvironmentVariable(DeviceVariable)!);
        return Cryptodev.Open(info, new CryptodevOptions { QueuePairs = info.MaxQueuePairs });
    }

    private static DpdkException? Start()
    {
        try
        {
            // Runs on any machine, with and without huge pages and privileges.
            Eal.Initialize(new EalOptions { Memory = EalMemory.NoHugePages, VirtualDevices = [First, Second, Null] });
            return null;
        }
        catch (DpdkException e)
        {
            return e;
        }
    }
}
