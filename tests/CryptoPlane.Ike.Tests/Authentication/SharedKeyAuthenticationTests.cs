using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Tests.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Authentication;

/// <summary>AUTH by a pre-shared key against what strongSwan logged.</summary>
public class SharedKeyAuthenticationTests
{
    [Fact]
    public void The_octets_and_AUTH_of_both_sides_are_those_that_strongSwan_logged()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        IkePayloads init = RecordedMessages.Plain(StrongSwanRecording.InitRequest), answer = RecordedMessages.Plain(StrongSwanRecording.InitResponse);
        byte[] idi = RecordedMessages.Open(keys, StrongSwanRecording.AuthRequest, fromInitiator: true).Initiator!.Body;
        byte[] idr = RecordedMessages.Open(keys, StrongSwanRecording.AuthResponse, fromInitiator: false).Responder!.Body;

        byte[] initiators = SignedOctets.Create(PrfAlgorithm.HmacSha384, StrongSwanRecording.InitRequest, answer.Nonce!.Value, keys.SkPi, idi);
        byte[] responders = SignedOctets.Create(PrfAlgorithm.HmacSha384, StrongSwanRecording.InitResponse, init.Nonce!.Value, keys.SkPr, idr);

        Assert.Equal(StrongSwanRecording.InitiatorOctets, initiators);
        Assert.Equal(StrongSwanRecording.ResponderOctets, responders);
        using SecretBytes secret = new("correct horse"u8);
        Assert.Equal(StrongSwanRecording.InitiatorAuth, SharedKeyAuthentication.Compute(PrfAlgorithm.HmacSha384, secret, initiators));
        Assert.Equal(StrongSwanRecording.ResponderAuth, SharedKeyAuthentication.Compute(PrfAlgorithm.HmacSha384, secret, responders));
    }

    [Fact]
    public void Only_the_right_AUTH_is_taken()
    {
        using SecretBytes secret = new("correct horse"u8), wrong = new("correct house"u8);
        byte[] octets = StrongSwanRecording.InitiatorOctets, auth = [.. StrongSwanRecording.InitiatorAuth];
        Assert.True(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, octets, auth));
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, wrong, octets, auth));
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha256, secret, octets, auth));
        // A peer that sends our own AUTH back has signed other octets.
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, StrongSwanRecording.ResponderOctets, auth));
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, octets, []));
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, octets, auth.AsSpan(0, 47)));
        Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, octets, [.. auth, 0]));
        for (int i = 0; i < auth.Length; i++)
        {
            auth[i] ^= 0x80;
            Assert.False(SharedKeyAuthentication.Verify(PrfAlgorithm.HmacSha384, secret, octets, auth));
            auth[i] ^= 0x80;
        }
    }
}
