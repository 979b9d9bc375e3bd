using CryptoPlane.Ipfix.Messages;

namespace CryptoPlane.Ipfix.Tests.Messages;

/// <summary>The container: headers, sets, room.</summary>
public class IpfixMessageTests
{
    [Fact]
    public void Records_of_one_template_share_a_set()
    {
        var message = new IpfixMessage(IpfixMessage.MinimumSize);
        Assert.True(message.TryAdd(300, [1, 2, 3]));
        Assert.True(message.TryAdd(300, [4, 5]));
        Assert.True(message.TryAdd(2, [6]));
        Assert.Equal(2, message.DataRecords);
        Assert.Equal(
            [0, 10, 0, 30, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 44, 0, 9, 1, 2, 3, 4, 5, 0, 2, 0, 5, 6],
            message.Finish(1, 2, 3).ToArray());
    }

    [Fact]
    public void A_record_without_room_changes_nothing()
    {
        var message = new IpfixMessage(IpfixMessage.MinimumSize);
        Assert.True(message.TryAdd(300, new byte[IpfixMessage.MaximumRecord - 2]));
        Assert.False(message.TryAdd(300, new byte[3]));
        Assert.False(message.TryAdd(301, new byte[1]));
        Assert.True(message.TryAdd(300, new byte[2]));
        Assert.Equal(IpfixMessage.MinimumSize, message.Finish(0, 0, 0).Length);
        message.Clear();
        Assert.True(message.IsEmpty);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(254, 1)]
    [InlineData(255, 3)]
    [InlineData(500, 3)]
    public void The_length_of_a_text_takes_one_byte_or_three(int length, int prefix)
    {
        var record = new RecordBuffer(new byte[IpfixMessage.MaximumRecord]);
        record.AddVariable(new byte[length]);
        Assert.Equal(prefix + length, record.Written.Length);
        Assert.Equal(prefix == 1 ? length : 255, record.Written[0]);
    }

    [Theory]
    [InlineData(IpfixMessage.MinimumSize - 1)]
    [InlineData(65536)]
    public void A_size_that_no_message_can_have_is_refused(int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new IpfixMessage(size));

    [Fact]
    public void An_element_of_an_enterprise_has_no_reverse() =>
        Assert.Throws<InvalidOperationException>(() => new IpfixElement(32473, 1, IpfixType.Unsigned8, IpfixSemantics.Default, "x").Reverse());
}
