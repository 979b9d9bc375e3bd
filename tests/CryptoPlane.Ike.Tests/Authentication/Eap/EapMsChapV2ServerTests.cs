using System.Buffers.Binary;
using System.Net;
using System.Text;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Tests.Authentication.Eap;

public sealed class EapMsChapV2ServerTests : IDisposable
{
    private static readonly IPEndPoint s_remote = new(IPAddress.Parse("192.0.2.7"), 4500);

    private readonly Users _users = new();
    private readonly EapMsChapV2Server _server;

    public EapMsChapV2ServerTests() => _server = new(_users, "gateway.example", Fill, s_remote);

    public void Dispose() => _server.Dispose();

    [Fact]
    public void The_published_user_logs_in()
    {
        byte[] challenge = Identify();
        Assert.Equal(EapPacket.MsChapV2Type, challenge[4]);
        Assert.Equal([1, challenge[1], 0, 36, 16], challenge[5..10]);
        Assert.Equal(MsChapV2Tests.AuthenticatorChallenge, challenge[10..26]);
        Assert.Equal("gateway.example", Encoding.ASCII.GetString(challenge[26..]));

        Assert.Equal(EapStatus.Request, _server.Handle(Answer(challenge[1]), out byte[] success));
        Assert.Equal("S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome", Encoding.ASCII.GetString(success[9..]));
        Assert.Equal(3, success[5]);
        Assert.Throws<InvalidOperationException>(() => _server.TakeMsk());

        Assert.Equal(EapStatus.Success, _server.Handle(Packet(success[1], 26, [3]), out byte[] end));
        Assert.Equal([3, success[1], 0, 4], end);
        Assert.Equal("User", _server.UserName);
        using SecretBytes msk = _server.TakeMsk(),
            expected = MsChapV2.DeriveMsk(Convert.FromHexString(MsChapV2Tests.Hash), Convert.FromHexString(MsChapV2Tests.Response));
        Assert.Equal(expected.Value, msk.Value);
        Assert.Throws<InvalidOperationException>(() => _server.TakeMsk());
    }

    [Theory]
    [InlineData("User", true)]
    [InlineData("Nobody", false)]
    public void A_wrong_password_and_an_unknown_user_are_told_the_same(string name, bool wrongResponse)
    {
        byte[] challenge = Identify(), answer = Answer(challenge[1], name);
        if (wrongResponse)
            answer[40] ^= 1;
        Assert.Equal(EapStatus.Request, _server.Handle(answer, out byte[] failure));
        Assert.Equal(4, failure[5]);
        Assert.Equal($"E=691 R=0 C={new string('0', 32)} V=3 M=Authentication failed", Encoding.ASCII.GetString(failure[9..]));
        // Whatever the client says to that, success included, it is over.
        Assert.Equal(EapStatus.Failure, _server.Handle(Packet(failure[1], 26, [3]), out byte[] end));
        Assert.Equal([4, failure[1], 0, 4], end);
        Assert.Equal("", _server.UserName);
        Assert.Equal(name, _server.TriedName);
        Assert.False(_server.IsBlocked);
        Assert.Throws<InvalidOperationException>(() => _server.TakeMsk());
        Assert.Equal(EapStatus.Failure, _server.Handle(answer, out _));
    }

    [Fact]
    public void Who_is_blocked_is_told_the_same_though_the_password_is_right()
    {
        _users.IsBlocked = true;
        byte[] challenge = Identify();
        Assert.Equal(EapStatus.Request, _server.Handle(Answer(challenge[1]), out byte[] failure));
        Assert.Equal($"E=691 R=0 C={new string('0', 32)} V=3 M=Authentication failed", Encoding.ASCII.GetString(failure[9..]));
        Assert.True(_server is { IsBlocked: true, IsRefused: true });
        Assert.Throws<InvalidOperationException>(() => _server.TakeMsk());
    }

    [Fact]
    public void An_unknown_user_whose_hash_would_be_zeros_stays_unknown()
    {
        byte[] challenge = Identify(), response = new byte[24];
        MsChapV2.ComputeResponse(MsChapV2Tests.AuthenticatorChallenge, MsChapV2Tests.PeerChallenge, "Nobody"u8, new byte[16], response);
        byte[] answer = Answer(challenge[1], "Nobody");
        response.CopyTo(answer, 34);
        Assert.Equal(EapStatus.Request, _server.Handle(answer, out byte[] failure));
        Assert.Equal(4, failure[5]);
    }

    [Fact]
    public void Another_method_ends_it()
    {
        byte[] challenge = Identify();
        // Nak: EAP-TLS, please.
        Assert.Equal(EapStatus.Failure, _server.Handle(Packet(challenge[1], 3, [13]), out _));
    }

    [Fact]
    public void Every_malformed_answer_ends_it()
    {
        byte[] good = Answer(8);
        List<byte[]> malformed = [[], [2], [.. good, 0]];
        for (int length = 0; length < good.Length; length++)
            malformed.Add(good[..length]);
        // Code, identifier, length, type, operation, MS-CHAPv2-ID, MS-Length, Value-Size.
        foreach (int offset in new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })
        {
            byte[] changed = [.. good];
            changed[offset] ^= 0x40;
            malformed.Add(changed);
        }
        malformed.Add(Answer(8, ""));
        malformed.Add(Answer(8, new string('x', 257)));
        malformed.Add(Answer(8, "Us\ner"));
        byte[] invalid = Answer(8);
        invalid[^1] = 0xFF;
        malformed.Add(invalid);
        foreach (byte[] packet in malformed)
        {
            using EapMsChapV2Server server = new(new Users(), "s", Fill, s_remote);
            Assert.Equal(8, Identify(server)[1]);
            Assert.Equal(EapStatus.Failure, server.Handle(packet, out byte[] end));
            Assert.Equal(4, end[0]);
        }
    }

    [Fact]
    public void Random_answers_never_succeed()
    {
        var random = new Random(4);
        for (int i = 0; i < 500; i++)
        {
            using EapMsChapV2Server server = new(new Users(), "s", Fill, s_remote);
            Identify(server);
            byte[] packet = Answer(8);
            for (int changes = random.Next(1, 6); changes > 0; changes--)
                packet[random.Next(packet.Length - 4)] = (byte)random.Next(256);
            if (server.Handle(packet, out byte[] next) == EapStatus.Request && next[5] == 3)
                Assert.Equal([.. Answer(8)[10..26], .. Answer(8)[34..58]], packet[10..26].Concat(packet[34..58]));
        }
    }

    private byte[] Identify() => Identify(_server);

    private static byte[] Identify(EapMsChapV2Server server)
    {
        byte[] request = server.Begin();
        Assert.Equal([1, 7, 0, 5, 1], request);
        Assert.Equal(EapStatus.Request, server.Handle(Packet(7, 1, "whoever"u8), out byte[] challenge));
        return challenge;
    }

    private static byte[] Answer(byte identifier, string name = "User")
    {
        byte[] data = [2, identifier, 0, 0, 49, .. MsChapV2Tests.PeerChallenge, .. new byte[8], .. Convert.FromHexString(MsChapV2Tests.Response), 0, .. Encoding.UTF8.GetBytes(name)];
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), (ushort)data.Length);
        return Packet(identifier, 26, data);
    }

    private static byte[] Packet(byte identifier, byte type, ReadOnlySpan<byte> data)
    {
        byte[] packet = [2, identifier, 0, 0, type, .. data];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        return packet;
    }

    /// <summary>The published challenge, and 7 as the first identifier.</summary>
    private static void Fill(Span<byte> destination)
    {
        if (destination.Length == 16)
            MsChapV2Tests.AuthenticatorChallenge.CopyTo(destination);
        else
            destination.Fill(7);
    }

    private sealed class Users : IEapUsers
    {
        public bool IsBlocked { get; set; }

        public EapUserStatus Find(string userName, IPEndPoint remote, Span<byte> ntHash)
        {
            Assert.Equal(s_remote, remote);
            if (userName != "User")
                return EapUserStatus.Unknown;
            EapPassword.Hash(MsChapV2Tests.Password, ntHash);
            return IsBlocked ? EapUserStatus.Blocked : EapUserStatus.Known;
        }
    }
}
