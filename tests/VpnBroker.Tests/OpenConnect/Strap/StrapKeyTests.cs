using System.Security.Cryptography;
using VpnBroker.OpenConnect.Strap;

namespace VpnBroker.Tests.OpenConnect.Strap;

public sealed class StrapKeyTests : IDisposable
{
    private static readonly ChannelBindings s_connection = new(RandomNumberGenerator.GetBytes(48), RandomNumberGenerator.GetBytes(32));

    private readonly StrapSigner _signer = new();
    private readonly StrapSigner _nextSigner = new();
    private readonly StrapKey _key;
    private readonly StrapKey _next;

    public StrapKeyTests()
    {
        _key = StrapKey.TryParse(_signer.PublicKey)!;
        _next = StrapKey.TryParse(_nextSigner.PublicKey)!;
    }

    public void Dispose()
    {
        _signer.Dispose();
        _nextSigner.Dispose();
    }

    [Fact]
    public void A_signature_over_either_binding_and_the_next_key_is_a_proof()
    {
        Assert.True(_key.Verify(s_connection, _next, _signer.Sign(s_connection.ClientFinished.Span, _nextSigner)));
        Assert.True(_key.Verify(s_connection, _next, _signer.Sign(s_connection.Exporter.Span, _nextSigner)));
        Assert.True(_key.Verify(s_connection, _key, _signer.Sign(s_connection.ClientFinished.Span, _signer)));
    }

    [Fact]
    public void A_signature_by_another_key_for_another_key_or_of_another_connection_is_none()
    {
        string proof = _signer.Sign(s_connection.ClientFinished.Span, _nextSigner);
        Assert.False(_next.Verify(s_connection, _next, proof));
        Assert.False(_key.Verify(s_connection, _key, proof));
        Assert.False(_key.Verify(new ChannelBindings(RandomNumberGenerator.GetBytes(48), s_connection.Exporter), _next, proof));
        Assert.False(_key.Verify(s_connection, _next, _signer.Sign([], _nextSigner)));
    }

    [Fact]
    public void A_proof_that_is_cut_or_changed_anywhere_is_none()
    {
        byte[] proof = Convert.FromBase64String(_signer.Sign(s_connection.ClientFinished.Span, _nextSigner));
        for (int i = 0; i < proof.Length; i++)
        {
            Assert.False(_key.Verify(s_connection, _next, Convert.ToBase64String(proof.AsSpan(0, i))));
            byte[] changed = (byte[])proof.Clone();
            changed[i] ^= (byte)(1 << (i & 7));
            Assert.False(_key.Verify(s_connection, _next, Convert.ToBase64String(changed)));
        }
        Assert.False(_key.Verify(s_connection, _next, null));
        Assert.False(_key.Verify(s_connection, _next, "no base64!"));
        Assert.False(_key.Verify(s_connection, _next, new string('A', 100_000)));
    }

    [Fact]
    public void Only_a_whole_p256_key_is_a_key()
    {
        byte[] der = Convert.FromBase64String(_signer.PublicKey);
        for (int length = 0; length < der.Length; length++)
            Assert.Null(StrapKey.TryParse(Convert.ToBase64String(der.AsSpan(0, length))));
        Assert.Null(StrapKey.TryParse(Convert.ToBase64String([.. der, 0])));
        // A point that is not on the curve.
        byte[] offCurve = (byte[])der.Clone();
        offCurve[^1] ^= 1;
        Assert.Null(StrapKey.TryParse(Convert.ToBase64String(offCurve)));
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Null(StrapKey.TryParse(Convert.ToBase64String(p384.ExportSubjectPublicKeyInfo())));
        using var rsa = RSA.Create(1024);
        Assert.Null(StrapKey.TryParse(Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo())));
        foreach (string? text in new[] { null, "", "=", $"{_signer.PublicKey},{_signer.PublicKey}", new string('A', 100_000) })
            Assert.Null(StrapKey.TryParse(text));
    }
}
