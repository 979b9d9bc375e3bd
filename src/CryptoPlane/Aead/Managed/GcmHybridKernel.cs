using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Large messages where there are GFNI and AVX-512: of every 32 blocks, 16 go through the AES units and 16 through the Galois field
/// instructions, at the same time. AES instructions of 128 bits, all that .NET has, use few of a CPU's vector units; this uses the rest.
/// </summary>
/// <remarks>
/// <code>
/// blocks 0 to 7     AES-NI     rounds 1 to the last
/// blocks 8 to 15    AES-NI                            rounds 1 to the last
/// blocks 16 to 31   GFNI       first half of rounds   second half
/// hash              multiplier first half of a chunk  second half
/// </code>
/// <para>As in <see cref="GcmLongKernel"/>, a seal hashes the chunk before and an open the chunk itself.</para>
/// <para>Control flow and addresses depend on the lengths of data and AAD only: no instruction here has a table.</para>
/// </remarks>
internal static unsafe class GcmHybridKernel
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkLength = 16 * AeadKeyBlock.Powers;

    /// <summary>From how many bytes on it pays to transpose the round keys.</summary>
    public const int MinLength = 4 * ChunkLength;

    /// <summary>Encrypts or decrypts and hashes the chunks of a message, so that more than a group is left for the long kernel.</summary>
    /// <param name="operation">The operation, with at least <see cref="MinLength"/> bytes.</param>
    /// <param name="hash">In: the hash of the AAD. Out: the hash of all that was done.</param>
    /// <returns>Bytes done: a multiple of <see cref="ChunkLength"/>.</returns>
    /// <remarks>Sound: chunks lie within <see cref="AeadOperation.Length"/>, and every read of a block comes before its write.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nuint Run<TRounds, TDirection, TLanes, TVector, TGfni>(AeadOperation* operation, Vector128<ulong>* hash)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        AeadKeyBlock* key = operation->Key.Block;
        nuint end = (operation->Length - 1 - AesGroup.Length) / ChunkLength * ChunkLength;
        byte* rows = stackalloc byte[16 * (TRounds.Count + 1)];
        GfniLanes<TGfni>.TransposeKeys(key->RoundKeys, TRounds.Count + 1, rows);
        Vector128<ulong> before = *hash;
        nuint done = 0;
        if (TDirection.Seals)
        {
            // Beside the first chunk nothing of it can be hashed: what is hashed is whatever lies there, and the result is dropped.
            CryptChunk<TRounds, TLanes, TVector, TGfni>(operation, 0, rows, operation->Source, before);
            done = ChunkLength;
        }
        for (; done < end; done += ChunkLength)
        {
            byte* ciphertext = TDirection.Seals ? operation->Destination + done - ChunkLength : operation->Source + done;
            before = CryptChunk<TRounds, TLanes, TVector, TGfni>(operation, done, rows, ciphertext, before);
        }
        if (TDirection.Seals)
        {
            var last = new ChunkHash<TLanes, TVector>(key, operation->Destination + done - ChunkLength, before);
            for (int part = 0; part < 4; part++)
                last.Add(part);
            before = last.Reduce();
        }
        *hash = before;
        return end;
    }

    /// <summary>Encrypts or decrypts the chunk at <paramref name="offset"/>, and hashes a chunk beside it.</summary>
    /// <returns>The hash of <paramref name="ciphertext"/> and all before it.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Vector128<ulong> CryptChunk<TRounds, TLanes, TVector, TGfni>(
        AeadOperation* operation, nuint offset, byte* rows, byte* ciphertext, Vector128<ulong> before)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        ChunkWork<TLanes, TVector, TGfni> work;
        work.Lanes = new GfniLanes<TGfni>(GcmBlock.Nonce(operation), 2 + (uint)(offset / 16) + GfniLanes<TGfni>.Blocks, rows);
        work.Hash = new ChunkHash<TLanes, TVector>(operation->Key.Block, ciphertext, before);
        CryptFirst<TRounds, TLanes, TVector, TGfni>(operation, offset, ref work);
        CryptSecond<TRounds, TLanes, TVector, TGfni>(operation, offset + AesGroup.Length, ref work);
        offset += 2 * AesGroup.Length;
        work.Lanes.Finish(operation->Source + offset, operation->Destination + offset);
        return work.Hash.Reduce();
    }

    /// <summary>Encrypts or decrypts the first group of a chunk, and does the first half of the work beside it.</summary>
    /// <remarks>The halves are methods of their own since the JIT does not inline as much as both are; see docs/aead.md.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void CryptFirst<TRounds, TLanes, TVector, TGfni>(AeadOperation* operation, nuint offset, ref ChunkWork<TLanes, TVector, TGfni> work)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        FirstHalf<TLanes, TVector, TGfni> half;
        half.Work = work;
        var lanes = new AesGroup(new GcmCounters(operation, offset), operation->Key.Block->RoundKeys);
        GcmStitch.Run<TRounds, AesGroup, FirstHalf<TLanes, TVector, TGfni>>(ref lanes, ref half);
        for (int i = 0; i < ExtraRounds<TRounds>(); i++)
            half.Work.Lanes.Round();
        lanes.Finish<TRounds>(operation->Source + offset, operation->Destination + offset);
        work = half.Work;
    }

    /// <summary>Encrypts or decrypts the second group of a chunk, and does the second half of the work beside it.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void CryptSecond<TRounds, TLanes, TVector, TGfni>(AeadOperation* operation, nuint offset, ref ChunkWork<TLanes, TVector, TGfni> work)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        SecondHalf<TLanes, TVector, TGfni> half;
        half.Work = work;
        var lanes = new AesGroup(new GcmCounters(operation, offset), operation->Key.Block->RoundKeys);
        GcmStitch.Run<TRounds, AesGroup, SecondHalf<TLanes, TVector, TGfni>>(ref lanes, ref half);
        for (int i = 0; i < ExtraRounds<TRounds>(); i++)
            half.Work.Lanes.Round();
        lanes.Finish<TRounds>(operation->Source + offset, operation->Destination + offset);
        work = half.Work;
    }

    /// <summary>Rounds of AES-256 in a half, besides those of AES-128: nine altogether before the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ExtraRounds<TRounds>()
        where TRounds : struct, IAesRounds => (TRounds.Count - 10) / 2;

    /// <summary>What goes beside the two groups of a chunk.</summary>
    private struct ChunkWork<TLanes, TVector, TGfni>
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        public GfniLanes<TGfni> Lanes;
        public ChunkHash<TLanes, TVector> Hash;
    }

    /// <summary>Five rounds, and the first half of a chunk's hash: an open in place may then overwrite it.</summary>
    private struct FirstHalf<TLanes, TVector, TGfni> : IHashWork
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        public ChunkWork<TLanes, TVector, TGfni> Work;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step(int step)
        {
            if (step % 2 == 0)
                Work.Lanes.Round();
            if (step % 5 == 4)
                Work.Hash.Add(step / 5);
        }
    }

    /// <summary>Four rounds, and the rest of the hash.</summary>
    private struct SecondHalf<TLanes, TVector, TGfni> : IHashWork
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        public ChunkWork<TLanes, TVector, TGfni> Work;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step(int step)
        {
            if (step % 2 == 1 && step < 8)
                Work.Lanes.Round();
            if (step % 5 == 4)
                Work.Hash.Add(2 + step / 5);
        }
    }
}
