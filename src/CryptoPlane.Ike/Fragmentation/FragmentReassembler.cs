using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Fragmentation;

/// <summary>
/// Puts a fragmented message together again (RFC 7383 §2.6). An IKE SA has one for requests and one for responses: with a window of one
/// message, only one of each can be on its way. Bounded in fragments, bytes and time.
/// </summary>
/// <remarks>
/// <see cref="Check"/> comes before the ICV, and changes nothing, since anybody may have sent the fragment; <see cref="Add"/> takes a
/// fragment whose ICV was right. Whether the message ID is the one that is awaited is for the caller to see before either.
/// </remarks>
internal sealed class FragmentReassembler(FragmentLimits limits)
{
    private byte[]?[] _fragments = [];
    private uint _messageId;
    private PayloadType _first;
    private int _received;
    private int _bytes;
    private long _deadline = long.MaxValue;

    /// <summary>When <see cref="Expire"/> has something to do; <see cref="long.MaxValue"/>: nothing is kept.</summary>
    public long Deadline => _deadline;

    /// <summary>Bytes kept of an incomplete message.</summary>
    public int StoredBytes => _bytes;

    /// <summary>Whether a fragment is worth the check of its ICV.</summary>
    /// <returns><see cref="FragmentStatus.Stored"/> if it is, or what <see cref="Add"/> would say against it.</returns>
    public FragmentStatus Check(uint messageId, in EncryptedPayload fragment)
    {
        if (fragment.TotalFragments > limits.Fragments)
            return FragmentStatus.TooLarge;
        if ((fragment.FragmentNumber == 1) != (fragment.FirstInner != PayloadType.None))
            return FragmentStatus.Malformed;
        if (_received == 0 || messageId > _messageId)
            return FragmentStatus.Stored;
        // Whoever plays older fragments again, authentic as they are, must not drive out those of the message that is on its way.
        if (messageId < _messageId || fragment.TotalFragments < _fragments.Length)
            return FragmentStatus.Outdated;
        return fragment.TotalFragments == _fragments.Length && _fragments[fragment.FragmentNumber - 1] is not null
            ? FragmentStatus.Duplicate : FragmentStatus.Stored;
    }

    /// <summary>Takes an authentic fragment.</summary>
    /// <param name="messageId">The message ID of its header.</param>
    /// <param name="fragment">Its place.</param>
    /// <param name="payloads">What was in it, decrypted, without padding. Kept.</param>
    /// <param name="now">The time.</param>
    /// <param name="first">The first payload of the message, when it is complete.</param>
    /// <param name="message">All payloads of the message when it is complete, else empty. The reassembler has forgotten it then.</param>
    public FragmentStatus Add(
        uint messageId, in EncryptedPayload fragment, byte[] payloads, long now, out PayloadType first, out byte[] message)
    {
        first = PayloadType.None;
        message = [];
        FragmentStatus status = Check(messageId, fragment);
        if (status != FragmentStatus.Stored)
            return status;
        // RFC 7383 §2.6: a larger total is the sender's next try with smaller fragments. A later message gives an earlier one up.
        if (_received == 0 || messageId != _messageId || fragment.TotalFragments != _fragments.Length)
            Begin(messageId, fragment.TotalFragments, now);
        if (_bytes + payloads.Length > limits.Bytes)
        {
            Clear();
            return FragmentStatus.TooLarge;
        }
        _fragments[fragment.FragmentNumber - 1] = payloads;
        _bytes += payloads.Length;
        _received++;
        if (fragment.FragmentNumber == 1)
            _first = fragment.FirstInner;
        if (_received < _fragments.Length)
            return FragmentStatus.Stored;
        message = new byte[_bytes];
        int offset = 0;
        foreach (byte[]? part in _fragments)
        {
            part!.CopyTo(message, offset);
            offset += part!.Length;
        }
        first = _first;
        Clear();
        return FragmentStatus.Complete;
    }

    /// <summary>Forgets a message that stayed incomplete for too long.</summary>
    public void Expire(long now)
    {
        if (now >= _deadline)
            Clear();
    }

    /// <summary>Forgets what is kept.</summary>
    public void Clear()
    {
        _fragments = [];
        _received = 0;
        _bytes = 0;
        _deadline = long.MaxValue;
    }

    private void Begin(uint messageId, int total, long now)
    {
        Clear();
        _messageId = messageId;
        _fragments = new byte[total][];
        _deadline = now + limits.Timeout;
    }
}
