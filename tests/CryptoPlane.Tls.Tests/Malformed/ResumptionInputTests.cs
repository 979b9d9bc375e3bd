using System.Security.Cryptography;
using CryptoPlane.Tls.Handshake.Resumption;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>What a stranger may say about tickets: an error or a view, and no exception.</summary>
public sealed class ResumptionInputTests
{
    private const int RandomCases = 15_000;

    [Fact]
    public void Offers_that_are_cut_or_changed_are_refused_or_read()
    {
        byte[] good = Offer(identities: 3, binders: 3);
        Assert.Null(PreSharedKeyExtension.Parse(good, out PreSharedKeyExtension.ClientOffers offers));
        Assert.True(offers.TryGet(2, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder));
        Assert.Equal(12, identity.Length);
        Assert.Equal(34, binder.Length);
        Assert.False(offers.TryGet(3, out _, out _));
        Assert.Equal(2 + 33 + 34 + 35, offers.BindersLength);
        foreach (byte[] cut in Mutations.Truncations(good))
            Assert.NotNull(PreSharedKeyExtension.Parse(cut, out _));
        Assert.NotNull(PreSharedKeyExtension.Parse([.. good, 0], out _));
        foreach (byte[] bad in Mutations.LengthFields(good))
            Look(bad);
        var random = new Random(41);
        for (int i = 0; i < RandomCases; i++)
            Look(Mutations.Random(good, random));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public void There_is_a_binder_for_each_identity(int identities, int binders) =>
        Assert.Equal(TlsAlert.IllegalParameter, PreSharedKeyExtension.Parse(Offer(identities, binders), out _)!.Alert);

    [Fact]
    public void A_short_binder_and_an_empty_identity_are_refused()
    {
        byte[] good = Offer(identities: 1, binders: 1);
        Assert.Null(PreSharedKeyExtension.Parse(good, out _));
        Assert.NotNull(PreSharedKeyExtension.Parse([0, 6, 0, 0, 0, 0, 0, 0, .. good[18..]], out _));
        Assert.NotNull(PreSharedKeyExtension.Parse([.. good[..18], 0, 32, 31, .. new byte[31]], out _));
    }

    [Fact]
    public void Tickets_that_are_cut_or_changed_are_refused_or_read()
    {
        byte[] good = [0, 0, 1, 0, 1, 2, 3, 4, 2, 7, 7, 0, 5, 1, 2, 3, 4, 5, 0, 8, 0, 42, 0, 4, 0, 0, 3, 0];
        Assert.Null(NewSessionTicketMessage.Parse(good, out NewSessionTicketMessage message));
        Assert.Equal((256u, 0x01020304u, 2, 5), (message.Lifetime, message.AgeAdd, message.Nonce.Length, message.Ticket.Length));
        Assert.Equal(768u, message.MaxEarlyData);
        // Extensions that are not known are passed over (RFC 8446 §4.6.1); early_data has four bytes.
        Assert.Null(NewSessionTicketMessage.Parse((byte[])[.. good[..18], 0, 6, 0x7A, 0x7A, 0, 2, 1, 2], out message));
        Assert.Equal(0u, message.MaxEarlyData);
        Assert.Equal(TlsAlert.DecodeError, NewSessionTicketMessage.Parse([.. good[..18], 0, 7, 0, 42, 0, 3, 1, 2, 3], out _)!.Alert);
        foreach (byte[] cut in Mutations.Truncations(good))
            Assert.NotNull(NewSessionTicketMessage.Parse(cut, out _));
        foreach (byte[] bad in Mutations.LengthFields(good))
            NewSessionTicketMessage.Parse(bad, out _);
        var random = new Random(4);
        for (int i = 0; i < RandomCases; i++)
            NewSessionTicketMessage.Parse(Mutations.Random(good, random), out _);
    }

    [Fact]
    public void Plaintexts_of_tickets_are_read_whole_or_not_at_all()
    {
        byte[] good = new byte[TicketState.MaxLength];
        var written = new TicketState
        {
            Suite = TlsCipherSuite.Aes256GcmSha384, Issued = 77, AgeAdd = 0xFFFFFFFF, MaxEarlyData = 4, PreSharedKey = RandomNumberGenerator.GetBytes(48),
            ApplicationProtocol = "h2"u8, ServerName = "server.example",
        };
        int length = written.Write(null, good);
        Assert.True(TicketState.TryParse(good.AsSpan(0, length), out TicketState state));
        Assert.False(state.HasIdentity);
        Assert.Null(state.GetIdentity());
        Assert.Equal((TlsCipherSuite.Aes256GcmSha384, 77L, 48, "server.example"), (state.Suite, state.Issued, state.PreSharedKey.Length, state.ServerName));
        Assert.Equal((0xFFFFFFFF, 4), (state.AgeAdd, state.MaxEarlyData));
        Assert.Equal("h2"u8, state.ApplicationProtocol);
        for (int cut = 0; cut < length; cut++)
            Assert.False(TicketState.TryParse(good.AsSpan(0, cut), out _));

        var identity = new ClientIdentity([1, 2, 3], 88, 99, RandomNumberGenerator.GetBytes(32));
        int longer = written.Write(identity, good);
        Assert.True(TicketState.TryParse(good.AsSpan(0, longer), out state));
        Assert.True(state.HasIdentity);
        Assert.Equal("server.example", state.ServerName);
        Assert.Equivalent(identity, state.GetIdentity());
        // Part of an identity is none; the certificate at the end may have any length.
        for (int cut = length + 1; cut < longer - 2; cut++)
            Assert.False(TicketState.TryParse(good.AsSpan(0, cut), out _));
        good[0] = 1;
        Assert.False(TicketState.TryParse(good.AsSpan(0, length), out _));
    }

    [Fact]
    public void Modes_must_be_a_list_and_one_of_them_must_be_with_a_key_exchange()
    {
        Assert.True(PskKeyExchangeModesExtension.TryParse([1, 1], out bool allowed) && allowed);
        Assert.True(PskKeyExchangeModesExtension.TryParse([3, 0x0B, 0, 1], out allowed) && allowed);
        Assert.True(PskKeyExchangeModesExtension.TryParse([1, 0], out allowed) && !allowed);
        foreach (byte[] bad in new byte[][] { [], [0], [1], [2, 1], [1, 1, 1] })
            Assert.False(PskKeyExchangeModesExtension.TryParse(bad, out _));
    }

    private static void Look(ReadOnlySpan<byte> data)
    {
        if (PreSharedKeyExtension.Parse(data, out PreSharedKeyExtension.ClientOffers offers) != null)
            return;
        for (int i = 0; offers.TryGet(i, out ReadOnlySpan<byte> identity, out ReadOnlySpan<byte> binder); i++)
        {
            Assert.False(identity.IsEmpty);
            Assert.InRange(binder.Length, 32, 255);
        }
        Assert.InRange(offers.BindersLength, 0, data.Length);
    }

    private static byte[] Offer(int identities, int binders)
    {
        byte[] names = [.. Enumerable.Range(0, identities).SelectMany(i => (byte[])[0, (byte)(10 + i), .. new byte[10 + i], 1, 2, 3, 4])];
        byte[] macs = [.. Enumerable.Range(0, binders).SelectMany(i => (byte[])[(byte)(32 + i), .. new byte[32 + i]])];
        return [(byte)(names.Length >> 8), (byte)names.Length, .. names, (byte)(macs.Length >> 8), (byte)macs.Length, .. macs];
    }
}
