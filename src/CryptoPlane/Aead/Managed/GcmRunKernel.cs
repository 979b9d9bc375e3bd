using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Small messages of one shape: AES of one goes through the AES unit while a hash goes through the multiplier. A seal hashes the
/// message before it, an open the message itself.
/// </summary>
/// <remarks>
/// One shape is: same direction, key size and number of blocks, at most eight of them. Keys and lengths are each message's own. Control
/// flow and addresses depend on the lengths of data and AAD only.
/// </remarks>
internal static unsafe class GcmRunKernel
{
    /// <summary>Bytes of data that a message has at most.</summary>
    public const int MaxLength = 128;

    /// <summary>Carries out messages of the first one's number of blocks, and sets their statuses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TRounds, TDirection, TAad>(AeadOperation** operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TAad : struct, IAadSource
    {
        switch ((operations[0]->Length + 15) / 16)
        {
            case 0:
                Run<TRounds, TDirection, TAad, Blocks0>(operations, count);
                break;
            case 1:
                Run<TRounds, TDirection, TAad, Blocks1>(operations, count);
                break;
            case 2:
                Run<TRounds, TDirection, TAad, Blocks2>(operations, count);
                break;
            case 3:
                Run<TRounds, TDirection, TAad, Blocks3>(operations, count);
                break;
            case 4:
                Run<TRounds, TDirection, TAad, Blocks4>(operations, count);
                break;
            case 5:
                Run<TRounds, TDirection, TAad, Blocks5>(operations, count);
                break;
            case 6:
                Run<TRounds, TDirection, TAad, Blocks6>(operations, count);
                break;
            case 7:
                Run<TRounds, TDirection, TAad, Blocks7>(operations, count);
                break;
            default:
                Run<TRounds, TDirection, TAad, Blocks8>(operations, count);
                break;
        }
    }

    /// <remarks>Sound: see <see cref="AeadOperation"/> for what the addresses promise.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRounds, TDirection, TAad, TBlocks>(AeadOperation** operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TAad : struct, IAadSource
        where TBlocks : struct, IBlockCount
    {
        Vector128<byte> mask = default;
        if (TDirection.Seals)
            mask = Crypt<TRounds, TBlocks>(operations[0]);
        for (int i = TDirection.Seals ? 1 : 0; i < count; i++)
        {
            AeadOperation* operation = operations[i], hashed = operations[TDirection.Seals ? i - 1 : i];
            EndHash<TBlocks, AfterAad> hash = HashOf<TDirection, TAad, TBlocks>(hashed);
            var lanes = new GcmLanes<TBlocks>(new GcmCounters(operation), operation->Key.Block->RoundKeys);
            GcmStitch.Run<TRounds, GcmLanes<TBlocks>, EndHash<TBlocks, AfterAad>>(ref lanes, ref hash);
            lanes.LastRound<TRounds>();
            Vector128<byte> tag = hash.Tag(TDirection.Seals ? mask : lanes.TagMask);
            mask = lanes.TagMask;
            lanes.Crypt<TDirection>(operation->Source, operation->Destination, (int)operation->Length);
            GcmTag.Finish<TDirection>(hashed, tag);
        }
        if (TDirection.Seals)
            Hash<TAad, TBlocks>(operations[count - 1], mask);
    }

    /// <summary>Encrypts the first message, beside nothing.</summary>
    /// <returns>E(J0).</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Vector128<byte> Crypt<TRounds, TBlocks>(AeadOperation* operation)
        where TRounds : struct, IAesRounds
        where TBlocks : struct, IBlockCount
    {
        var lanes = new GcmLanes<TBlocks>(new GcmCounters(operation), operation->Key.Block->RoundKeys);
        for (int round = 1; round < TRounds.Count; round++)
            lanes.Round(round);
        lanes.LastRound<TRounds>();
        lanes.Crypt<Sealing>(operation->Source, operation->Destination, (int)operation->Length);
        return lanes.TagMask;
    }

    /// <summary>Hashes the last message, beside nothing.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Hash<TAad, TBlocks>(AeadOperation* operation, Vector128<byte> mask)
        where TAad : struct, IAadSource
        where TBlocks : struct, IBlockCount
    {
        EndHash<TBlocks, AfterAad> hash = HashOf<Sealing, TAad, TBlocks>(operation);
        GcmStitch.Run(ref hash);
        GcmTag.Finish<Sealing>(operation, hash.Tag(mask));
    }

    /// <summary>The hash of a whole message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static EndHash<TBlocks, AfterAad> HashOf<TDirection, TAad, TBlocks>(AeadOperation* operation)
        where TDirection : struct, IGcmDirection
        where TAad : struct, IAadSource
        where TBlocks : struct, IBlockCount
    {
        byte* ciphertext = TDirection.Seals ? operation->Destination : operation->Source;
        return new EndHash<TBlocks, AfterAad>(operation, ciphertext, (int)operation->Length, TAad.Hash(operation));
    }
}
