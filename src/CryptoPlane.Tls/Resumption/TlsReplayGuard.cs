using System.Numerics;
using System.Runtime.InteropServices;
using CryptoPlane.Tls.Handshake.Resumption;

namespace CryptoPlane.Tls;

/// <summary>
/// A replay guard in the memory of one server (RFC 8446 §8.2): it refuses what it has seen, what may have been accepted before it began,
/// and what it has no room for, so that a flood costs other clients a round trip and never buys a replay.
/// </summary>
/// <remarks>Safe for every thread, without a lock. An entry takes some 24 bytes, for at most two freshness windows.</remarks>
public sealed class TlsReplayGuard : ITlsReplayGuard
{
    /// <summary>Most entries of a bucket, of which half are there on average when the guard is as full as it is meant to get.</summary>
    private const int Ways = 16;

    // Each bucket is an immutable list that is replaced as a whole: of two threads with one ticket, one finds the other's entry.
    private readonly Entry[]?[] _buckets;
    private readonly TimeProvider _clock;
    private readonly long _begin;

    /// <summary>Begins to remember.</summary>
    /// <param name="capacity">How much early data is accepted within two freshness windows; up to twice as much has room.</param>
    /// <param name="clock">The clock of the server's options; the system's by default.</param>
    public TlsReplayGuard(int capacity = 65_536, TimeProvider? clock = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 28);
        _buckets = new Entry[BitOperations.RoundUpToPowerOf2((uint)(capacity + (Ways / 2) - 1) / (Ways / 2))][];
        _clock = clock ?? TimeProvider.System;
        _begin = _clock.UnixMilliseconds();
    }

    /// <inheritdoc/>
    public bool TryUse(ReadOnlySpan<byte> id, long earliest, long latest)
    {
        // RFC 8446 §8.2: a server that has just begun does not know what was accepted before: it rejects what may have been.
        if (earliest <= _begin)
            return false;
        // Half of a SHA-256 digest, over a ticket that no client can choose.
        UInt128 key = MemoryMarshal.Read<UInt128>(id);
        ref Entry[]? bucket = ref _buckets[(int)(uint)key & (_buckets.Length - 1)];
        long now = _clock.UnixMilliseconds();
        Entry[]? seen = Volatile.Read(ref bucket);
        while (true)
        {
            var kept = new List<Entry>(Ways);
            foreach (Entry entry in seen ?? [])
            {
                if (entry.Key == key)
                    return false;
                if (entry.Latest >= now)
                    kept.Add(entry);
            }
            if (kept.Count == Ways)
                return false;
            kept.Add(new Entry(key, latest));
#pragma warning disable RS0030 // Rule 1: handshakes run on control threads, of which there may be several; no lcore comes here.
            Entry[]? found = Interlocked.CompareExchange(ref bucket, [.. kept], seen);
#pragma warning restore RS0030
            if (ReferenceEquals(found, seen))
                return true;
            seen = found;
        }
    }

    private readonly record struct Entry(UInt128 Key, long Latest);
}
