using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

public sealed unsafe class SubmissionRingTests
{
    private const int Capacity = 64;

    [Fact]
    public void What_is_pushed_in_runs_comes_back_in_order_whatever_is_popped_at_a_time()
    {
        const int many = 20_000;
        var random = new Random(4);
        var operations = (AeadOperation*)NativeMemory.AllocZeroed(many, (nuint)sizeof(AeadOperation));
        using var ring = new SubmissionRing(Capacity);
        var expected = new Queue<(nint Operation, AeadBackendKind Kind)>();
        for (int pushed = 0; pushed < many || expected.Count > 0;)
        {
            int run = random.Next(0, Math.Min(ring.Free, many - pushed) + 1);
            AeadBackendKind kind = random.Next(2) == 0 ? AeadBackendKind.None : AeadBackendKind.Custom;
            ring.Push(operations + pushed, run, kind);
            for (int i = 0; i < run; i++)
                expected.Enqueue(((nint)(operations + pushed++), kind));
            Assert.Equal(expected.Count, ring.Count);
            Assert.Equal(Capacity - expected.Count, ring.Free);

            for (int left = random.Next(0, expected.Count + 1); left > 0;)
            {
                int count = random.Next(1, Math.Min(left, ring.OldestRun) + 1);
                AeadBackendKind oldest = ring.OldestKind;
                AeadOperation* first = ring.Pop(count);
                for (int i = 0; i < count; i++)
                    Assert.Equal(((nint)(first + i), oldest), expected.Dequeue());
                left -= count;
            }
        }
        NativeMemory.Free(operations);
    }

    [Fact]
    public void It_holds_as_many_runs_as_operations()
    {
        using var ring = new SubmissionRing(Capacity);
        var operations = (AeadOperation*)NativeMemory.AllocZeroed(2 * Capacity, (nuint)sizeof(AeadOperation));
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < Capacity; i++)
                ring.Push(operations + (2 * i), 1, AeadBackendKind.Custom);
            Assert.Equal(0, ring.Free);
            for (int i = 0; i < Capacity; i++)
                Assert.True(operations + (2 * i) == ring.Pop(1));
        }
        NativeMemory.Free(operations);
    }
}
