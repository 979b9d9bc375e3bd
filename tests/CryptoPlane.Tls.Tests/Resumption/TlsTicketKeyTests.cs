using System.Buffers;
using System.Security.Cryptography;

namespace CryptoPlane.Tls.Tests.Resumption;

public sealed class TlsTicketKeyTests
{
    [Fact]
    public void What_was_sealed_is_opened_and_no_two_tickets_are_alike()
    {
        var ring = new TlsTicketKeyRing();
        for (int length = 0; length < 100; length++)
        {
            byte[] plaintext = RandomNumberGenerator.GetBytes(length);
            byte[] one = Seal(ring, plaintext), other = Seal(ring, plaintext);
            Assert.NotEqual(one, other);
            byte[] opened = new byte[length + 16];
            Assert.True(ring.TryUnprotect(one, opened, out int written));
            Assert.Equal(plaintext, opened[..written]);
        }
    }

    [Fact]
    public void A_ticket_that_was_changed_or_cut_is_refused()
    {
        var ring = new TlsTicketKeyRing();
        byte[] ticket = Seal(ring, RandomNumberGenerator.GetBytes(60)), opened = new byte[80];
        for (int i = 0; i < ticket.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                ticket[i] ^= (byte)(1 << bit);
                Assert.False(ring.TryUnprotect(ticket, opened, out _));
                ticket[i] ^= (byte)(1 << bit);
            }
            Assert.False(ring.TryUnprotect(ticket.AsSpan(0, i), opened, out _));
            Assert.False(ring.TryUnprotect(ticket.AsSpan(i + 1), opened, out _));
        }
        Assert.False(ring.TryUnprotect([.. ticket, 0], opened, out _));
        Assert.False(ring.TryUnprotect(ticket, new byte[10], out _));
        Assert.Equal(new byte[80], opened);
        Assert.True(ring.TryUnprotect(ticket, opened, out _));
    }

    [Fact]
    public void A_key_is_shared_by_its_name_and_bytes()
    {
        byte[] name = RandomNumberGenerator.GetBytes(TlsTicketKey.NameSize), key = RandomNumberGenerator.GetBytes(TlsTicketKey.KeySize);
        using var here = new TlsTicketKey(name, key);
        using var there = new TlsTicketKey(name, key);
        byte[] ticket = Seal(new TlsTicketKeyRing([here]), [1, 2, 3]), opened = new byte[16];
        Assert.True(new TlsTicketKeyRing([TlsTicketKey.Create(), there]).TryUnprotect(ticket, opened, out int written));
        Assert.Equal(3, written);
        key[0] ^= 1;
        using var impostor = new TlsTicketKey(name, key);
        Assert.False(new TlsTicketKeyRing([impostor]).TryUnprotect(ticket, opened, out _));
    }

    [Fact]
    public void Misuse_is_an_exception()
    {
        Assert.Throws<ArgumentException>(() => new TlsTicketKey(new byte[15], new byte[32]));
        Assert.Throws<ArgumentException>(() => new TlsTicketKey(new byte[16], new byte[16]));
        Assert.Throws<ArgumentException>(() => new TlsTicketKeyRing([]));
        TlsTicketKey key = TlsTicketKey.Create();
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Seal(new TlsTicketKeyRing([key]), [1]));
    }

    private static byte[] Seal(TlsTicketKeyRing ring, byte[] plaintext)
    {
        var writer = new ArrayBufferWriter<byte>();
        ring.Protect(plaintext, writer);
        return writer.WrittenSpan.ToArray();
    }
}
