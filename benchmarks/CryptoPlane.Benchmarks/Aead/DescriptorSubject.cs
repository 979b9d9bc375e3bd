using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>A subject that takes bursts of descriptors, which stay as they are from run to run.</summary>
internal abstract unsafe class DescriptorSubject(string name, AeadWorkload workload) : AeadSubject(name, workload, workload.Slice)
{
    protected AeadOperation* Operations { get; private set; }

    public override void Verify()
    {
        for (int i = 0; i < Workload.Operations; i++)
        {
            if (Operations[i].Status != AeadStatus.Success)
                throw new InvalidOperationException($"{Name}: operation {i} of {Workload.Case} ended with {Operations[i].Status}.");
        }
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(Operations);
        Operations = null;
    }

    /// <summary>Makes the descriptors, once the keys are there.</summary>
    protected void SetKeys(nint[] keys) => Operations = Workload.CreateOperations(keys);
}
