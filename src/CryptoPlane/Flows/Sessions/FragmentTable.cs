using System.Numerics;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>
/// The look-aside table that gives fragments without ports the session of their first one: bounded, in native memory. Where it is full,
/// the oldest of a few entries makes room, so that a flood of fragments costs sessions of fragments and no memory.
/// </summary>
/// <remarks>One thread's own. Fragments that come before their first one are not kept: they count as a session of fragments.</remarks>
public sealed unsafe class FragmentTable : IDisposable
{
    private const int Ways = 4;

    private readonly uint _setMask;
    private readonly ulong _seed;
    private readonly long _lifetime;
    private Entry* _entries;

    /// <summary>Takes the table's memory.</summary>
    /// <param name="capacity">Packets whose fragments are on their way at a time: a power of two, 4 to 2^20; 104 bytes each.</param>
    /// <param name="lifetimeNanoseconds">How long fragments of a packet are waited for: at most a receiver's time for reassembly.</param>
    /// <param name="seed">A secret number, so that nobody can choose packets that share a place.</param>
    public FragmentTable(int capacity, long lifetimeNanoseconds, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, Ways);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 20);
        if (!BitOperations.IsPow2(capacity))
            throw new ArgumentException($"The capacity {capacity} is not a power of two.", nameof(capacity));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lifetimeNanoseconds);
        _setMask = ((uint)capacity / Ways) - 1;
        _lifetime = lifetimeNanoseconds;
        _seed = seed | 1;
        _entries = (Entry*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(Entry));
    }

    /// <summary>Notes the session of a first fragment; a later first fragment of the same identification takes its place.</summary>
    /// <param name="key">The session.</param>
    /// <param name="packet">The fragment.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    public void Note(in SessionKey key, in SessionPacket packet, long now)
    {
        Entry* set = SetOf(key, packet);
        Entry* place = set;
        for (Entry* entry = set; entry < set + Ways; entry++)
        {
            if (entry->IsOf(key, packet))
            {
                place = entry;
                break;
            }
            if (entry->Expires < place->Expires)
                place = entry;
        }
        *place = new Entry
        {
            Session = key, Expires = now + _lifetime, FragmentId = packet.FragmentId, Protocol = ProtocolOf(key), IsUsed = 1,
            FromUpper = (byte)(packet.IsFromUpper ? 1 : 0),
        };
    }

    /// <summary>Finds the session of a fragment behind the first.</summary>
    /// <param name="key">The fragment's own key; the session's, with true.</param>
    /// <param name="packet">The fragment.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    /// <returns>False when the first fragment was not seen, or too long ago.</returns>
    public bool TryFind(ref SessionKey key, ref SessionPacket packet, long now)
    {
        Entry* set = SetOf(key, packet);
        for (Entry* entry = set; entry < set + Ways; entry++)
        {
            if (entry->Expires <= now || !entry->IsOf(key, packet))
                continue;
            key = entry->Session;
            return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    // RFC 791: packets of two protocols may share an identification. RFC 8200 §4.5: in IPv6 they may not, and a later fragment's next
    // header need not be the upper protocol.
    private static byte ProtocolOf(in SessionKey key) => key.Lower.IsIPv4 ? key.Protocol : (byte)0;

    // Sound: the masked number is below the number of sets.
    private Entry* SetOf(in SessionKey key, in SessionPacket packet)
    {
        ulong word = ((ulong)packet.FragmentId << 16) ^ ((ulong)ProtocolOf(key) << 8) ^ (packet.IsFromUpper ? 1UL : 0UL);
        ulong high = Math.BigMul(key.Lower.Low ^ key.Lower.High ^ _seed, key.Upper.Low ^ BitOperations.RotateLeft(key.Upper.High, 32) ^ 0x9E37_79B9_7F4A_7C15, out ulong low);
        high = Math.BigMul(high ^ low ^ _seed, word ^ 0xD6E8_FEB8_6659_FD93, out low);
        return _entries + (((uint)(high ^ low) & _setMask) * Ways);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public SessionKey Session;
        public long Expires;
        public uint FragmentId;
        public byte Protocol;
        public byte FromUpper;
        public byte IsUsed;

        /// <summary>Whether a fragment is of the same packet: addresses in the same direction, identification, and for IPv4 protocol.</summary>
        // The ends of a session between one address and itself have no order that fragments could tell: they share a direction.
        public readonly bool IsOf(in SessionKey key, in SessionPacket packet) => IsUsed != 0 && FragmentId == packet.FragmentId
            && Session.Lower == key.Lower && Session.Upper == key.Upper && Protocol == ProtocolOf(key)
            && (FromUpper != 0) == packet.IsFromUpper;
    }
}
