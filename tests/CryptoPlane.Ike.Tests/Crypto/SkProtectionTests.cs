using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Crypto;

public sealed class SkProtectionTests : IDisposable
{
    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly IkeKeys _keys = RecordedMessages.FirstKeys();
    private readonly SkProtection _initiator, _responder;

    public SkProtectionTests()
    {
        _initiator = new SkProtection(_engine, _keys, isInitiator: true);
        _responder = new SkProtection(_engine, _keys, isInitiator: false);
    }

    public void Dispose()
    {
        _initiator.Dispose();
        _responder.Dispose();
        _keys.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void What_strongSwan_sealed_is_opened()
    {
        IkePayloads request = RecordedMessages.Open(_keys, StrongSwanRecording.AuthRequest, fromInitiator: true);
        Assert.Equal("cli"u8, request.Initiator!.Data);
        Assert.Equal(StrongSwanRecording.InitiatorAuth, request.Authentication!.Data);
        IkePayloads response = RecordedMessages.Open(_keys, StrongSwanRecording.AuthResponse, fromInitiator: false);
        Assert.Equal("srv"u8, response.Responder!.Data);
        Assert.Equal(StrongSwanRecording.ResponderAuth, response.Authentication!.Data);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1400)]
    public void What_one_side_seals_the_other_opens(int length)
    {
        byte[] header = RandomNumberGenerator.GetBytes(32), payloads = RandomNumberGenerator.GetBytes(length), body = new byte[length + SkProtection.Overhead];
        _initiator.Seal(header, payloads, body);
        Assert.True(_responder.TryOpen(header, body, out byte[] opened));
        Assert.Equal(payloads, opened);
        // The sender has another key than the receiver: a reflected message is not taken.
        Assert.False(_initiator.TryOpen(header, body, out _));
    }

    [Fact]
    public void No_nonce_comes_twice()
    {
        HashSet<string> seen = [];
        byte[] body = new byte[3 + SkProtection.Overhead];
        for (int i = 0; i < 300; i++)
        {
            _responder.Seal([1, 2], [3, 4, 5], body);
            Assert.True(seen.Add(Convert.ToHexString(body.AsSpan(0, SkProtection.IvLength))));
        }
    }

    [Fact]
    public void A_change_of_any_byte_is_noticed()
    {
        byte[] header = RandomNumberGenerator.GetBytes(32), body = new byte[5 + SkProtection.Overhead];
        _initiator.Seal(header, [1, 2, 3, 4, 5], body);
        for (int i = 0; i < header.Length + body.Length; i++)
        {
            ref byte changed = ref i < header.Length ? ref header[i] : ref body[i - header.Length];
            changed ^= 1;
            Assert.False(_responder.TryOpen(header, body, out byte[] opened));
            Assert.Empty(opened);
            changed ^= 1;
        }
        for (int length = 0; length < body.Length; length++)
            Assert.False(_responder.TryOpen(header, body.AsSpan(0, length), out _));
        Assert.True(_responder.TryOpen(header, body, out _));
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(7, 7, true)]
    [InlineData(7, 3, true)]
    [InlineData(7, 8, false)]
    [InlineData(0, 255, false)]
    [InlineData(300, 255, true)]
    public void Padding_is_cut_off_and_may_not_be_longer_than_the_text(int length, byte padLength, bool valid)
    {
        byte[] header = [9], text = new byte[length + 1], body = new byte[length + SkProtection.Overhead], iv = [7, 7, 7, 7, 7, 7, 7, 7];
        text[^1] = padLength;
        iv.CopyTo(body, 0);
        using (AesGcm peer = new(_keys.SkEi[..32], 16))
            peer.Encrypt([.. _keys.SkEi[32..], .. iv], text, body.AsSpan(8, text.Length), body.AsSpan(8 + text.Length), header);

        Assert.Equal(valid, _responder.TryOpen(header, body, out byte[] opened));
        Assert.Equal(valid ? length - padLength : 0, opened.Length);
    }

    [Fact]
    public void A_body_of_another_size_is_a_misuse() =>
        Assert.Throws<ArgumentException>(() => _initiator.Seal([], [1], new byte[SkProtection.Overhead]));
}
