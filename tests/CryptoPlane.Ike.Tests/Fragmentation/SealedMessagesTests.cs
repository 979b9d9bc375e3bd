using System.Buffers.Binary;
using System.Net.Sockets;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Tests.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Fragmentation;

public sealed class SealedMessagesTests : IDisposable
{
    private static readonly IkeHeader s_header = new(1, 2, ExchangeType.IkeAuth, IkeHeaderFlags.Initiator, 1);

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly IkeKeys _keys = RecordedMessages.FirstKeys();
    private readonly SkProtection _initiator, _responder;
    private readonly FragmentReassembler _reassembler = new(FragmentLimits.Default);
    private readonly IkeWriter _payloads = new();

    public SealedMessagesTests()
    {
        _initiator = new SkProtection(_engine, _keys, isInitiator: true);
        _responder = new SkProtection(_engine, _keys, isInitiator: false);
        byte[] certificate = [.. Enumerable.Range(0, 3_000).Select(i => (byte)(i * 7))];
        _payloads
            .Add(IdentificationPayload.Create(PayloadType.IdentificationInitiator, 2, "cli"u8))
            .Add(new CertificatePayload(CertificateEncoding.X509Signature, certificate));
    }

    public void Dispose()
    {
        _initiator.Dispose();
        _responder.Dispose();
        _keys.Dispose();
        _engine.Dispose();
    }

    [Fact]
    public void A_message_that_fits_goes_whole()
    {
        byte[] message = Assert.Single(SealedMessages.Seal(_initiator, s_header, _payloads, int.MaxValue));
        Assert.Equal(OpenStatus.Opened, Open(message, out PayloadType first, out byte[] payloads));
        Assert.Equal(PayloadType.IdentificationInitiator, first);
        Assert.Equal(_payloads.Written.ToArray(), payloads);
        Assert.Single(SealedMessages.Seal(_initiator, s_header, _payloads, message.Length));
    }

    [Fact]
    public void An_empty_message_is_one_message()
    {
        byte[] message = Assert.Single(SealedMessages.Seal(_initiator, s_header, new IkeWriter(), 100));
        Assert.Equal(OpenStatus.Opened, Open(message, out PayloadType first, out byte[] payloads));
        Assert.Equal((PayloadType.None, 0), (first, payloads.Length));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_longer_one_goes_in_fragments_none_above_the_limit(int seed)
    {
        int limit = FragmentSize.MessageBytes(576, AddressFamily.InterNetwork, hasMarker: true);
        Assert.Equal(544, limit);
        byte[][] fragments = [.. SealedMessages.Seal(_initiator, s_header, _payloads, limit)];
        Assert.Equal(7, fragments.Length);
        Assert.All(fragments, fragment => Assert.InRange(fragment.Length, 1, limit));
        Assert.All(fragments[..^1], fragment => Assert.Equal(limit, fragment.Length));

        new Random(seed).Shuffle(fragments);
        foreach (byte[] fragment in fragments[..^1])
        {
            Assert.Equal(OpenStatus.Incomplete, Open(fragment, out _, out _));
            Assert.Equal(OpenStatus.Duplicate, Open(fragment, out _, out _));
        }
        Assert.Equal(OpenStatus.Opened, Open(fragments[^1], out PayloadType first, out byte[] payloads));
        Assert.Equal(PayloadType.IdentificationInitiator, first);
        Assert.Equal(_payloads.Written.ToArray(), payloads);
    }

    [Fact]
    public void The_size_of_an_ipv6_packet_counts_its_header() =>
        Assert.Equal(1280 - 40 - 8, FragmentSize.MessageBytes(1280, AddressFamily.InterNetworkV6, hasMarker: false));

    /// <summary>RFC 7383 §2.6: what is forged must neither be kept nor drive out what is authentic.</summary>
    [Fact]
    public void A_forged_fragment_changes_nothing()
    {
        IReadOnlyList<byte[]> fragments = SealedMessages.Seal(_initiator, s_header, _payloads, 600);
        Assert.Equal(OpenStatus.Incomplete, Open(fragments[0], out _, out _));
        int stored = _reassembler.StoredBytes;

        // Another total, another number, another byte of text: each is covered by the ICV.
        int numbers = EncryptedPayload.SkBodyOffset, body = EncryptedPayload.SkfBodyOffset;
        foreach (int offset in (int[])[numbers + 1, numbers + 3, body + 20])
        {
            byte[] forged = [.. fragments[1]];
            forged[offset]++;
            Assert.Equal(OpenStatus.NotAuthentic, Open(forged, out _, out _));
            Assert.Equal(stored, _reassembler.StoredBytes);
        }
        for (int i = 1; i < fragments.Count; i++)
            Assert.Equal(i < fragments.Count - 1 ? OpenStatus.Incomplete : OpenStatus.Opened, Open(fragments[i], out _, out _));
    }

    [Fact]
    public void A_sender_may_try_again_with_smaller_fragments()
    {
        IReadOnlyList<byte[]> large = SealedMessages.Seal(_initiator, s_header, _payloads, 1_200);
        IReadOnlyList<byte[]> small = SealedMessages.Seal(_initiator, s_header, _payloads, 600);
        Assert.Equal(OpenStatus.Incomplete, Open(large[0], out _, out _));
        Assert.Equal(OpenStatus.Incomplete, Open(small[0], out _, out _));
        Assert.Equal(OpenStatus.Duplicate, Open(large[1], out _, out _));
        OpenStatus status = OpenStatus.Incomplete;
        byte[] payloads = [];
        for (int i = 1; i < small.Count; i++)
            status = Open(small[i], out _, out payloads);
        Assert.Equal(OpenStatus.Opened, status);
        Assert.Equal(_payloads.Written.ToArray(), payloads);
    }

    [Fact]
    public void Fragments_are_malformed_where_they_were_not_negotiated()
    {
        byte[] fragment = SealedMessages.Seal(_initiator, s_header, _payloads, 600)[0];
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(fragment, out IkeHeader header));
        Assert.Equal(OpenStatus.Malformed, SealedMessages.Open(_responder, null, header, fragment, 0, out _, out _));
    }

    [Fact]
    public void Too_many_fragments_are_refused_before_their_icv_is_checked()
    {
        byte[] fragment = SealedMessages.Seal(_initiator, s_header, _payloads, 600)[0];
        BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(EncryptedPayload.SkBodyOffset + 2), 1_000);
        Assert.Equal(OpenStatus.TooLarge, Open(fragment, out _, out _));
    }

    private OpenStatus Open(byte[] message, out PayloadType first, out byte[] payloads)
    {
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        return SealedMessages.Open(_responder, _reassembler, header, message, 0, out first, out payloads);
    }
}
