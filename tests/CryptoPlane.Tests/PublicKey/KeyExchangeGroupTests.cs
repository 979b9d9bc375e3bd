using System.Security.Cryptography;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tests.PublicKey;

public sealed class KeyExchangeGroupTests
{
    public static TheoryData<string> Names =>
    [
        nameof(KeyExchangeGroup.X25519), nameof(KeyExchangeGroup.P256), nameof(KeyExchangeGroup.P384),
        nameof(KeyExchangeGroup.MlKem768), nameof(KeyExchangeGroup.X25519MlKem768),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_sides_have_one_secret_and_every_exchange_another(string name)
    {
        KeyExchangeGroup group = Group(name);
        byte[] previous = new byte[group.SecretSize];
        for (int i = 0; i < 20; i++)
        {
            using KeyExchangeInitiator initiator = group.CreateInitiator();
            Assert.Equal(group.InitiatorShareSize, initiator.Share.Length);
            byte[] share = new byte[group.ResponderShareSize], responderSecret = new byte[group.SecretSize], initiatorSecret = new byte[group.SecretSize];
            Assert.True(group.TryRespond(initiator.Share.Span, share, responderSecret));
            Assert.True(initiator.TryFinish(share, initiatorSecret));
            Assert.Equal(responderSecret, initiatorSecret);
            Assert.NotEqual(previous, initiatorSecret);
            previous = initiatorSecret;
        }
    }

    [Theory]
    [InlineData(nameof(KeyExchangeGroup.P256))]
    [InlineData(nameof(KeyExchangeGroup.P384))]
    public void The_framework_agrees(string name)
    {
        KeyExchangeGroup group = Group(name);
        ECCurve curve = name == nameof(KeyExchangeGroup.P256) ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;
        using ECDiffieHellman peer = ECDiffieHellman.Create(curve);
        ECParameters own = peer.ExportParameters(false);
        byte[] peerShare = [4, .. own.Q.X!, .. own.Q.Y!];

        byte[] share = new byte[group.ResponderShareSize], secret = new byte[group.SecretSize];
        Assert.True(group.TryRespond(peerShare, share, secret));
        int half = share.Length / 2;
        using ECDiffieHellman ours = ECDiffieHellman.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = share[1..(half + 1)], Y = share[(half + 1)..] } });
        Assert.Equal(peer.DeriveRawSecretAgreement(ours.PublicKey), secret);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_share_of_another_length_is_refused(string name)
    {
        KeyExchangeGroup group = Group(name);
        using KeyExchangeInitiator initiator = group.CreateInitiator();
        byte[] share = new byte[group.ResponderShareSize], secret = new byte[group.SecretSize];
        for (int length = 0; length < initiator.Share.Length; length++)
            Assert.False(group.TryRespond(initiator.Share.Span[..length], share, secret));
        Assert.False(group.TryRespond([.. initiator.Share.Span, 0], share, secret));
        Assert.Equal(new byte[share.Length], share);
        Assert.Equal(new byte[secret.Length], secret);
    }

    [Theory]
    [InlineData(nameof(KeyExchangeGroup.P256))]
    [InlineData(nameof(KeyExchangeGroup.P384))]
    public void A_point_off_the_curve_or_in_another_form_is_refused(string name)
    {
        KeyExchangeGroup group = Group(name);
        using KeyExchangeInitiator initiator = group.CreateInitiator();
        byte[] share = new byte[group.ResponderShareSize], secret = new byte[group.SecretSize];
        byte[] point = initiator.Share.ToArray();
        for (int i = 1; i < point.Length; i++)
        {
            point[i] ^= 1;
            Assert.False(group.TryRespond(point, share, secret));
            point[i] ^= 1;
        }
        foreach (byte form in new byte[] { 0, 2, 3, 5, 6, 7, 255 })
        {
            point[0] = form;
            Assert.False(group.TryRespond(point, share, secret));
        }
        Assert.False(group.TryRespond(new byte[point.Length], share, secret));
    }

    [Fact]
    public void X25519_refuses_points_of_small_order_on_both_sides()
    {
        // RFC 7748 §6.1's all-zero result comes from 0, 1 and p-1, among others.
        byte[] zero = new byte[32], one = new byte[32], minusOne = new byte[32];
        one[0] = 1;
        minusOne.AsSpan().Fill(0xFF);
        minusOne[0] = 0xEC;
        minusOne[31] = 0x7F;
        byte[] share = new byte[32], secret = new byte[32];
        using KeyExchangeInitiator initiator = KeyExchangeGroup.X25519.CreateInitiator();
        foreach (byte[] point in new[] { zero, one, minusOne })
        {
            Assert.False(KeyExchangeGroup.X25519.TryRespond(point, share, secret));
            Assert.False(initiator.TryFinish(point, secret));
            Assert.Equal(new byte[32], secret);
        }
    }

    [Fact]
    public void A_refusal_leaves_no_error_behind_for_the_framework_to_find()
    {
        byte[] share = new byte[65], secret = new byte[32], point = new byte[65];
        point[0] = 4;
        Assert.False(KeyExchangeGroup.P256.TryRespond(point, share, secret));
        Assert.Equal(0u, PeekError());
    }

    [Fact]
    public void Misuse_is_an_exception()
    {
        using KeyExchangeInitiator initiator = KeyExchangeGroup.X25519.CreateInitiator();
        byte[] share = initiator.Share.ToArray();
        Assert.Throws<ArgumentException>(() => KeyExchangeGroup.X25519.TryRespond(share, new byte[31], new byte[32]));
        Assert.Throws<ArgumentException>(() => KeyExchangeGroup.X25519.TryRespond(share, new byte[32], new byte[33]));
        Assert.Throws<ArgumentException>(() => initiator.TryFinish(share, new byte[31]));
        initiator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => initiator.TryFinish(share, new byte[32]));
    }

    private static KeyExchangeGroup Group(string name) => name switch
    {
        nameof(KeyExchangeGroup.X25519) => KeyExchangeGroup.X25519,
        nameof(KeyExchangeGroup.P256) => KeyExchangeGroup.P256,
        nameof(KeyExchangeGroup.MlKem768) => KeyExchangeGroup.MlKem768!,
        nameof(KeyExchangeGroup.X25519MlKem768) => KeyExchangeGroup.X25519MlKem768!,
        _ => KeyExchangeGroup.P384,
    };

    private static nuint PeekError() => (nuint)ERR_peek_error().Value;

    [System.Runtime.InteropServices.DllImport("libcrypto.so.3")]
    private static extern System.Runtime.InteropServices.CULong ERR_peek_error();
}
