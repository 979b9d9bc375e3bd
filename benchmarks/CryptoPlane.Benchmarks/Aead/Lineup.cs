using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Who is measured in a section.</summary>
[Flags]
internal enum Lineup
{
    Native = 1,
    NativeSingle = 1 << 1,

    /// <summary>The kernels without the engine.</summary>
    NativeDirect = 1 << 2,

    /// <summary>The native tiers that the CPU has besides the fastest.</summary>
    OtherTiers = 1 << 3,
    Managed = 1 << 4,
    ManagedSingle = 1 << 5,
    Portable = 1 << 6,
    IpsecMb = 1 << 7,
    Evp = 1 << 8,
    Framework = 1 << 9,
    BouncyCastle = 1 << 10,

    /// <summary>Everybody who is about as fast as we are.</summary>
    Fast = Native | Managed | IpsecMb | Evp,
    Main = Fast | NativeSingle | ManagedSingle | Framework,
    All = Main | NativeDirect | OtherTiers | BouncyCastle,
    ChaCha = Native | NativeSingle | Portable | Evp | Framework,
}

/// <summary>Makes the subjects of a line-up, as far as this machine has them.</summary>
internal static class LineupFactory
{
    // Names in tables and charts.
    public const string Native = "native", NativeSingle = "native, single", Managed = "managed", ManagedSingle = "managed, single";
    public const string Portable = "portable", IpsecMb = "ipsec-mb", Evp = "EVP", BouncyCastle = "BouncyCastle";

    /// <summary>Most keys for objects of the framework's: 100,000 of them would measure its handles and finalizers.</summary>
    private const int MostFrameworkKeys = 1000;

    public static List<AeadSubject> Create(Lineup lineup, AeadWorkload workload)
    {
        var subjects = new List<AeadSubject>();
        int burst = workload.Case.Burst;
        AeadAlgorithm algorithm = workload.Case.Algorithm;
        if (AeadBackends.IsNativeSupported)
            AddNative(subjects, lineup, workload);
        if (AeadBackends.IsManagedSupported && algorithm != AeadAlgorithm.ChaCha20Poly1305)
        {
            if (lineup.HasFlag(Lineup.Managed))
                subjects.Add(new EngineSubject(Managed, "managed", workload, AeadBackends.CreateManaged(), burst));
            if (lineup.HasFlag(Lineup.ManagedSingle))
                subjects.Add(new EngineSubject(ManagedSingle, "managed", workload, AeadBackends.CreateManaged(), 1));
        }
        if (lineup.HasFlag(Lineup.Portable))
            subjects.Add(new EngineSubject(Portable, "portable", workload, AeadBackends.CreatePortable(), burst));
        if (lineup.HasFlag(Lineup.IpsecMb) && PeerLibrary.IpsecMb is { } ipsecMb && ipsecMb.Supports(algorithm))
            subjects.Add(new PeerSubject(workload, ipsecMb));
        if (lineup.HasFlag(Lineup.Evp) && PeerLibrary.Evp is { } evp && evp.Supports(algorithm))
            subjects.Add(new PeerSubject(workload, evp));
        if (lineup.HasFlag(Lineup.Framework) && workload.Keys.Length <= MostFrameworkKeys)
            subjects.Add(new FrameworkSubject(workload));
        if (lineup.HasFlag(Lineup.BouncyCastle))
            subjects.Add(new BouncyCastleSubject(workload));
        return subjects;
    }

    private static void AddNative(List<AeadSubject> subjects, Lineup lineup, AeadWorkload workload)
    {
        int burst = workload.Case.Burst;
        if (lineup.HasFlag(Lineup.Native))
            subjects.Add(new EngineSubject(Native, "native", workload, AeadBackends.CreateNative(), burst));
        if (lineup.HasFlag(Lineup.NativeSingle))
            subjects.Add(new EngineSubject(NativeSingle, "native", workload, AeadBackends.CreateNative(), 1));
        if (lineup.HasFlag(Lineup.NativeDirect) && NativeTier.Supported is [NativeTier fastest, ..])
            subjects.Add(new NativeTierSubject(workload, fastest, burst));
        if (!lineup.HasFlag(Lineup.OtherTiers))
            return;
        foreach (NativeTier tier in NativeTier.Supported.Skip(1))
            subjects.Add(new EngineSubject(tier.Name, $"native-{tier.Name}", workload, AeadBackends.CreateNative(tier.Name), burst));
    }
}
