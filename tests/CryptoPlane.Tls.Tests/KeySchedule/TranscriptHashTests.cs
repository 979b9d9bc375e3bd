using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Tests.KeySchedule;

public sealed class TranscriptHashTests
{
    [Fact]
    public void Messages_before_the_choice_of_hash_count()
    {
        using var early = new TranscriptHash();
        early.Append(Rfc8448Trace.ClientHello);
        Assert.Null(early.Hash);
        early.Select(TlsHash.Sha256);
        early.Append(Rfc8448Trace.ServerHello);
        Assert.Equal(TlsHash.Sha256, early.Hash);
        Assert.Equal(Rfc8448Trace.HashToServerHello, early.Snapshot(new byte[48]));
        Assert.Equal(Rfc8448Trace.HashToServerHello, early.Snapshot(new byte[48]));
    }

    [Theory]
    [InlineData((int)TlsHash.Sha256)]
    [InlineData((int)TlsHash.Sha384)]
    public void A_retried_ClientHello_is_replaced_by_its_hash(int number)
    {
        var hash = (TlsHash)number;
        byte[] first = [1, 0, 0, 2, 7, 8], retry = [2, 0, 0, 1, 9], second = [1, 0, 0, 1, 5];
        using var transcript = new TranscriptHash();
        transcript.Append(first);
        transcript.Select(hash);
        transcript.ReplaceWithMessageHash();
        transcript.Append(retry);
        transcript.Append(second);

        // RFC 8446 §4.4.1
        byte[] digest = hash == TlsHash.Sha256 ? SHA256.HashData(first) : SHA384.HashData(first);
        byte[] whole = [254, 0, 0, (byte)digest.Length, .. digest, .. retry, .. second];
        byte[] expected = hash == TlsHash.Sha256 ? SHA256.HashData(whole) : SHA384.HashData(whole);
        Assert.Equal(expected, transcript.Snapshot(new byte[48]));
    }

    [Fact]
    public void The_hash_is_chosen_once()
    {
        using var transcript = new TranscriptHash();
        Assert.Throws<InvalidOperationException>(() => { transcript.Snapshot(new byte[48]); });
        transcript.Select(TlsHash.Sha256);
        transcript.Select(TlsHash.Sha256);
        Assert.Throws<InvalidOperationException>(() => transcript.Select(TlsHash.Sha384));
    }
}
