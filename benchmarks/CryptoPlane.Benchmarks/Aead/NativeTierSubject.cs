using System.Runtime.InteropServices;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>The native kernels called straight, so that the difference to <see cref="EngineSubject"/> is what the engine costs.</summary>
internal sealed unsafe class NativeTierSubject : DescriptorSubject
{
    private const int KeySize = 1024;
    private const int Alignment = 64;

    private readonly NativeTier _tier;
    private readonly int _burst;
    private readonly byte* _keys;

    public NativeTierSubject(AeadWorkload workload, NativeTier tier, int burst)
        : base($"{tier.Name}, direct", workload)
    {
        _tier = tier;
        _burst = burst;
        nuint bytes = (nuint)workload.Keys.Length * KeySize;
        _keys = (byte*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(_keys, bytes);
        nint[] addresses = new nint[workload.Keys.Length];
        for (int i = 0; i < addresses.Length; i++)
        {
            byte* key = _keys + ((nuint)i * KeySize);
            if (!NativeTier.TryExpandKey(key, workload.Case.Algorithm, workload.Keys[i]))
                throw new InvalidOperationException($"cp_aead_expand_key refuses {workload.Case.Algorithm}.");
            addresses[i] = (nint)key;
        }
        SetKeys(addresses);
    }

    public override string? CaseName => Workload.Case.NameOf($"native-direct-{_tier.Name}", _burst);

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_keys);
        base.Dispose();
    }

    protected override void Process(int first, int count)
    {
        for (int done = 0; done < count; done += _burst)
            _tier.Run(Operations + first + done, _burst);
    }
}
