using System.Reflection;
using System.Runtime.InteropServices;
using CryptoPlane.Benchmarks.Aead;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>What a figure is worth depends on: the CPU, the kernel and the versions of everybody.</summary>
internal static class MachineDescription
{
    private static readonly string[] s_flagsThatMatter =
        ["aes", "pclmulqdq", "avx2", "bmi2", "avx512f", "avx512bw", "avx512vl", "vaes", "vpclmulqdq", "gfni", "avx512ifma"];

    /// <summary>Whether the CPU has what the widest native tier needs: the class that ratios are expected for.</summary>
    public static bool HasWideVaes { get; } =
        Array.TrueForAll(["vaes", "vpclmulqdq", "avx512bw"], FirstCpu().GetValueOrDefault("flags", "").Split(' ').Contains);

    /// <summary>The machine, and what of ours ran on it.</summary>
    public static IEnumerable<(string What, string Value)> Lines()
    {
        Dictionary<string, string> cpu = FirstCpu();
        string[] flags = cpu.GetValueOrDefault("flags", "").Split(' ');
        yield return ("CPU", $"{cpu.GetValueOrDefault("model name", "unknown")} (family {cpu.GetValueOrDefault("cpu family")}, "
            + $"model {cpu.GetValueOrDefault("model")}, stepping {cpu.GetValueOrDefault("stepping")}), "
            + $"{Environment.ProcessorCount} CPUs{(flags.Contains("hypervisor") ? ", a virtual machine" : "")}");
        yield return ("microcode", cpu.GetValueOrDefault("microcode", "not told"));
        yield return ("has", string.Join(", ", s_flagsThatMatter.Where(flags.Contains)));
        yield return ("lacks", string.Join(", ", s_flagsThatMatter.Except(flags)) is { Length: > 0 } missing ? missing : "nothing that matters here");
        yield return ("kernel", $"Linux {Environment.OSVersion.Version}");
        yield return ("CryptoPlane", Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");
        yield return ("native tiers that ran", string.Join(", ", NativeTier.Supported.Select(tier => $"{tier.Name} ({tier.Instructions})"))
            is { Length: > 0 } tiers ? tiers : "none");
        yield return (".NET", RuntimeInformation.FrameworkDescription);
    }

    /// <summary>What the AEAD benchmark has besides: our tiers that this CPU cannot run, and the peers.</summary>
    public static IEnumerable<(string What, string Value)> AeadLines()
    {
        yield return ("native tiers built, not run here", string.Join(", ", NativeTier.Built.Except(NativeTier.Supported.Select(tier => tier.Name)))
            is { Length: > 0 } others ? others : "none");
        yield return ("intel-ipsec-mb", PeerLibrary.IpsecMb?.Version ?? "not installed: left out");
        yield return ("OpenSSL (EVP; the framework uses it too)", PeerLibrary.Evp?.Version ?? "not installed: left out");
        yield return ("BouncyCastle", typeof(Org.BouncyCastle.Crypto.Modes.GcmBlockCipher).Assembly.GetName().Version?.ToString() ?? "");
    }

    /// <summary>The fields of /proc/cpuinfo's first CPU.</summary>
    private static Dictionary<string, string> FirstCpu() =>
        File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0)
            .Select(line => line.Split(':', 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0].Trim(), parts => parts[1].Trim());
}
