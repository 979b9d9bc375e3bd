using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Messages of more than eight blocks: groups of eight, and an end of one to eight blocks together with J0. AES of a group goes through
/// the AES unit while a hash goes through the multiplier, across the borders of messages too.
/// </summary>
/// <remarks>
/// <para>A seal can hash a group only when it has been encrypted, so its hash is one step behind:</para>
/// <code>
/// AES    A.group 0   A.group 1   A.end       B.group 0   B.end     (nothing)
/// hash   (nothing)   A.group 0   A.group 1   A.end       B.group 0   B.end
/// </code>
/// <para>An open hashes what it reads, in the same step that decrypts it.</para>
/// <para>Control flow and addresses depend on the lengths of data and AAD only.</para>
/// </remarks>
internal static unsafe class GcmLongKernel
{
    /// <summary>Carries out messages of one direction and key size, each of more than eight blocks, and sets their statuses.</summary>
    /// <remarks>Sound: groups and the end lie within <see cref="AeadOperation.Length"/>, and every read of one comes before its write.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRounds, TDirection, TLanes, TVector>(AeadOperation** operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        if (TDirection.Seals)
            CryptFirst<TRounds>(operations[0], 0);
        for (int i = 0; i < count; i++)
        {
            AeadOperation* operation = operations[i];
            Vector128<ulong> hash = Ghash.MultiplyByH(Ghash.Aad(operation), operation->Key.Block);
            RunFrom<TRounds, TDirection, TLanes, TVector>(operation, 0, hash, TDirection.Seals && i + 1 < count ? operations[i + 1] : null);
        }
    }

    /// <summary>Carries out a large message: most of it by <see cref="GcmHybridKernel"/>, and the rest here.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunHybrid<TRounds, TDirection, TLanes, TVector, TGfni>(AeadOperation* operation)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TGfni : struct, IGfni
    {
        Vector128<ulong> hash = Ghash.MultiplyByH(Ghash.Aad(operation), operation->Key.Block);
        nuint done = GcmHybridKernel.Run<TRounds, TDirection, TLanes, TVector, TGfni>(operation, &hash);
        if (TDirection.Seals)
            CryptFirst<TRounds>(operation, done);
        RunFrom<TRounds, TDirection, TLanes, TVector>(operation, done, hash, null);
    }

    /// <summary>Carries out a message from byte number <paramref name="done"/> on, where a group begins and more than that is left.</summary>
    /// <param name="operation">The operation. Of a seal the group that begins there has been encrypted already.</param>
    /// <param name="done">Bytes done: a multiple of a group's.</param>
    /// <param name="hash">The hash of them and of the AAD.</param>
    /// <param name="next">The next message to seal; null if there is none.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunFrom<TRounds, TDirection, TLanes, TVector>(AeadOperation* operation, nuint done, Vector128<ulong> hash, AeadOperation* next)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        byte* ciphertext = (TDirection.Seals ? operation->Destination : operation->Source) + done;
        nuint end = GroupsLength(operation);
        if (TDirection.Seals)
            done += AesGroup.Length;
        for (; done < end; done += AesGroup.Length)
        {
            var group = new GroupHash<TLanes, TVector>(operation->Key.Block, ciphertext, hash);
            CryptGroup<TRounds, GroupHash<TLanes, TVector>>(operation, done, ref group);
            hash = group.Reduce();
            ciphertext += AesGroup.Length;
        }
        End<TRounds, TDirection, TLanes, TVector>(operation, hash, next);
    }

    /// <summary>Bytes of a message before its end, which has at least one block: a multiple of a group's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint GroupsLength(AeadOperation* operation) => (operation->Length - 1) / AesGroup.Length * AesGroup.Length;

    /// <summary>Encrypts or decrypts the group at <paramref name="offset"/>, and hashes beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CryptGroup<TRounds, THash>(AeadOperation* operation, nuint offset, ref THash hash)
        where TRounds : struct, IAesRounds
        where THash : struct, IHashWork
    {
        var lanes = new AesGroup(new GcmCounters(operation, offset), operation->Key.Block->RoundKeys);
        GcmStitch.Run<TRounds, AesGroup, THash>(ref lanes, ref hash);
        lanes.Finish<TRounds>(operation->Source + offset, operation->Destination + offset);
    }

    /// <summary>Encrypts a group of a message beside nothing, where none comes before it.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CryptFirst<TRounds>(AeadOperation* operation, nuint offset)
        where TRounds : struct, IAesRounds
    {
        NoHash nothing = default;
        CryptGroup<TRounds, NoHash>(operation, offset, ref nothing);
    }

    /// <summary>Carries out the end of an operation; see <see cref="End{TRounds,TDirection,TLanes,TVector,TBlocks}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End<TRounds, TDirection, TLanes, TVector>(AeadOperation* operation, Vector128<ulong> hash, AeadOperation* next)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        switch ((operation->Length - (uint)GroupsLength(operation) + 15) / 16)
        {
            case 1:
                End<TRounds, TDirection, TLanes, TVector, Blocks1>(operation, hash, next);
                break;
            case 2:
                End<TRounds, TDirection, TLanes, TVector, Blocks2>(operation, hash, next);
                break;
            case 3:
                End<TRounds, TDirection, TLanes, TVector, Blocks3>(operation, hash, next);
                break;
            case 4:
                End<TRounds, TDirection, TLanes, TVector, Blocks4>(operation, hash, next);
                break;
            case 5:
                End<TRounds, TDirection, TLanes, TVector, Blocks5>(operation, hash, next);
                break;
            case 6:
                End<TRounds, TDirection, TLanes, TVector, Blocks6>(operation, hash, next);
                break;
            case 7:
                End<TRounds, TDirection, TLanes, TVector, Blocks7>(operation, hash, next);
                break;
            default:
                End<TRounds, TDirection, TLanes, TVector, Blocks8>(operation, hash, next);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End<TRounds, TDirection, TLanes, TVector, TBlocks>(AeadOperation* operation, Vector128<ulong> hash, AeadOperation* next)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TBlocks : struct, IBlockCount
    {
        if (TDirection.Seals)
            SealEnd<TRounds, TLanes, TVector, TBlocks>(operation, hash, next);
        else
            OpenEnd<TRounds, TBlocks>(operation, hash);
    }

    /// <summary>Decrypts the end of a message beside its hash, and compares the tag.</summary>
    /// <param name="operation">The operation, whose groups have been decrypted.</param>
    /// <param name="before">The hash of them.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OpenEnd<TRounds, TBlocks>(AeadOperation* operation, Vector128<ulong> before)
        where TRounds : struct, IAesRounds
        where TBlocks : struct, IBlockCount
    {
        nuint done = GroupsLength(operation);
        byte* source = operation->Source + done;
        int left = (int)(operation->Length - (uint)done);
        var end = new EndHash<TBlocks, AfterGroups>(operation, source, left, before);
        var lanes = new GcmLanes<TBlocks>(new GcmCounters(operation, done), operation->Key.Block->RoundKeys);
        GcmStitch.Run<TRounds, GcmLanes<TBlocks>, EndHash<TBlocks, AfterGroups>>(ref lanes, ref end);
        lanes.LastRound<TRounds>();
        Vector128<byte> tag = end.Tag(lanes.TagMask);
        lanes.Crypt<Opening>(source, operation->Destination + done, left);
        GcmTag.Finish<Opening>(operation, tag);
    }

    /// <summary>Encrypts the end of a message beside the hash of the last group, and hashes the end.</summary>
    /// <param name="operation">The operation, whose groups have been encrypted.</param>
    /// <param name="before">The hash up to, but not with, the last group.</param>
    /// <param name="next">The next message, whose first group is encrypted too; null if there is none.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SealEnd<TRounds, TLanes, TVector, TBlocks>(AeadOperation* operation, Vector128<ulong> before, AeadOperation* next)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
        where TBlocks : struct, IBlockCount
    {
        nuint done = GroupsLength(operation);
        byte* destination = operation->Destination + done;
        var group = new GroupHash<TLanes, TVector>(operation->Key.Block, destination - AesGroup.Length, before);
        var lanes = new GcmLanes<TBlocks>(new GcmCounters(operation, done), operation->Key.Block->RoundKeys);
        GcmStitch.Run<TRounds, GcmLanes<TBlocks>, GroupHash<TLanes, TVector>>(ref lanes, ref group);
        lanes.LastRound<TRounds>();
        before = group.Reduce();
        lanes.Crypt<Sealing>(operation->Source + done, destination, (int)(operation->Length - (uint)done));
        if (next != null)
            SealNext<TRounds, TBlocks>(operation, before, lanes.TagMask, next);
        else
            SealLast<TBlocks>(operation, before, lanes.TagMask);
    }

    /// <summary>Hashes the end of a seal, and encrypts the next message's first group beside it.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SealNext<TRounds, TBlocks>(AeadOperation* operation, Vector128<ulong> before, Vector128<byte> mask, AeadOperation* next)
        where TRounds : struct, IAesRounds
        where TBlocks : struct, IBlockCount
    {
        EndHash<TBlocks, AfterGroups> end = HashOfEnd<TBlocks>(operation, before);
        CryptGroup<TRounds, EndHash<TBlocks, AfterGroups>>(next, 0, ref end);
        GcmTag.Finish<Sealing>(operation, end.Tag(mask));
    }

    /// <summary>Hashes the end of the last seal, beside nothing.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SealLast<TBlocks>(AeadOperation* operation, Vector128<ulong> before, Vector128<byte> mask)
        where TBlocks : struct, IBlockCount
    {
        EndHash<TBlocks, AfterGroups> end = HashOfEnd<TBlocks>(operation, before);
        GcmStitch.Run(ref end);
        GcmTag.Finish<Sealing>(operation, end.Tag(mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static EndHash<TBlocks, AfterGroups> HashOfEnd<TBlocks>(AeadOperation* operation, Vector128<ulong> before)
        where TBlocks : struct, IBlockCount
    {
        nuint done = GroupsLength(operation);
        return new EndHash<TBlocks, AfterGroups>(operation, operation->Destination + done, (int)(operation->Length - (uint)done), before);
    }
}
