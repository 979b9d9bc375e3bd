using System.Buffers.Binary;

namespace CryptoPlane.Ike.Responder;

/// <summary>
/// A rate limit per address in memory of a fixed size: addresses share buckets by a hash that strangers cannot compute, so nobody can
/// choose whose bucket to empty with his own.
/// </summary>
internal sealed class AddressRates
{
    private const int BucketBits = 12;

    private readonly TokenBucket[] _buckets = new TokenBucket[1 << BucketBits];
    private readonly ulong _multiplier;
    private readonly ulong _addend;

    public AddressRates(IkeRandomness randomness)
    {
        Span<byte> key = stackalloc byte[16];
        randomness(key);
        // Multiply-and-shift hashing wants an odd factor.
        _multiplier = BinaryPrimitives.ReadUInt64LittleEndian(key) | 1;
        _addend = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
    }

    /// <summary>Takes a token of an address if there is one.</summary>
    public bool TryTake(AddressKey address, int perSecond, long now)
    {
        ulong hash = unchecked(((address.Value ^ ((ulong)address.Family << 48)) * _multiplier) + _addend);
        return _buckets[hash >> (64 - BucketBits)].TryTake(perSecond, now);
    }
}
