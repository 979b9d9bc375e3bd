using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Fragmentation;

public sealed class FragmentReassemblerTests
{
    private const PayloadType First = PayloadType.IdentificationInitiator;
    private static readonly FragmentLimits s_limits = new(Fragments: 8, Bytes: 100, Timeout: 1_000);

    private readonly FragmentReassembler _reassembler = new(s_limits);

    [Fact]
    public void Fragments_in_any_order_make_the_message()
    {
        Assert.Equal(FragmentStatus.Stored, Add(3, 3, [5]));
        Assert.Equal(FragmentStatus.Stored, Add(1, 3, [1, 2]));
        Assert.Equal(FragmentStatus.Complete, _reassembler.Add(1, Place(2, 3), [3, 4], 0, out PayloadType first, out byte[] message));
        Assert.Equal(First, first);
        Assert.Equal([1, 2, 3, 4, 5], message);
        Assert.Equal((0, long.MaxValue), (_reassembler.StoredBytes, _reassembler.Deadline));
    }

    [Fact]
    public void One_fragment_may_be_all_of_a_message() => Assert.Equal(FragmentStatus.Complete, Add(1, 1, [1]));

    [Fact]
    public void A_fragment_that_is_there_already_changes_nothing()
    {
        Add(1, 2, [1]);
        Assert.Equal(FragmentStatus.Duplicate, _reassembler.Check(1, Place(1, 2)));
        Assert.Equal(FragmentStatus.Duplicate, Add(1, 2, [9, 9]));
        Assert.Equal(1, _reassembler.StoredBytes);
    }

    [Fact]
    public void A_larger_total_begins_anew_and_a_smaller_one_is_outdated()
    {
        Add(1, 2, [1]);
        Assert.Equal(FragmentStatus.Stored, _reassembler.Check(1, Place(2, 4)));
        Assert.Equal(1, _reassembler.StoredBytes);
        Assert.Equal(FragmentStatus.Stored, Add(2, 4, [7, 8, 9]));
        Assert.Equal(3, _reassembler.StoredBytes);
        Assert.Equal(FragmentStatus.Outdated, _reassembler.Check(1, Place(2, 2)));
        Assert.Equal(FragmentStatus.Outdated, Add(2, 2, [1]));
        Assert.Equal(3, _reassembler.StoredBytes);
    }

    [Fact]
    public void A_later_message_takes_the_place_of_an_incomplete_one_and_an_earlier_one_does_not()
    {
        Add(1, 2, [1, 2, 3]);
        Assert.Equal(FragmentStatus.Stored, _reassembler.Add(2, Place(2, 2), [9], 0, out _, out _));
        Assert.Equal(1, _reassembler.StoredBytes);
        Assert.Equal(FragmentStatus.Outdated, Add(1, 2, [1, 2, 3]));
        Assert.Equal(FragmentStatus.Complete, _reassembler.Add(2, Place(1, 2), [8], 0, out _, out byte[] message));
        Assert.Equal([8, 9], message);
    }

    [Fact]
    public void Only_the_first_fragment_says_what_is_in_the_message()
    {
        Assert.Equal(FragmentStatus.Malformed, _reassembler.Check(1, new EncryptedPayload(PayloadType.None, 36, 1, 2)));
        Assert.Equal(FragmentStatus.Malformed, _reassembler.Check(1, new EncryptedPayload(First, 36, 2, 2)));
    }

    [Fact]
    public void Fragments_bytes_and_time_are_bounded()
    {
        Assert.Equal(FragmentStatus.TooLarge, _reassembler.Check(1, Place(1, 9)));
        Assert.Equal(FragmentStatus.TooLarge, _reassembler.Check(1, Place(1, ushort.MaxValue)));
        Add(1, 8, new byte[60]);
        Assert.Equal(FragmentStatus.TooLarge, Add(2, 8, new byte[41]));
        Assert.Equal(0, _reassembler.StoredBytes);

        Assert.Equal(FragmentStatus.Stored, _reassembler.Add(1, Place(1, 2), [1], 500, out _, out _));
        _reassembler.Add(1, Place(1, 2), [1], 900, out _, out _);
        Assert.Equal(1_500, _reassembler.Deadline);
        _reassembler.Expire(1_499);
        Assert.Equal(1, _reassembler.StoredBytes);
        _reassembler.Expire(1_500);
        Assert.Equal((0, long.MaxValue), (_reassembler.StoredBytes, _reassembler.Deadline));
    }

    private static EncryptedPayload Place(ushort number, ushort total) => new(number == 1 ? First : PayloadType.None, 36, number, total);

    private FragmentStatus Add(ushort number, ushort total, byte[] bytes) =>
        _reassembler.Add(1, Place(number, total), bytes, 0, out _, out _);
}
