using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake.Work;

/// <summary>The verification by itself, with certificates that no authority would issue.</summary>
public sealed class ServerCertificateVerificationTests
{
    private const int Mutations = 1500;

    [Fact]
    public void A_damaged_certificate_is_refused_and_throws_nothing()
    {
        byte[] content = new byte[130];
        byte[] buffer = new byte[CertificateSignature.MaxSize];
        byte[] signature = buffer[..CertificateSignature.Sign(TestCertificates.EcdsaP256, SignatureAlgorithm.EcdsaP256Sha256, content, buffer)];
        byte[] good = TestCertificates.EcdsaP256.RawData;
        Assert.Null(Verify([good], content, signature));

        var random = new Random(20_261_121);
        for (int i = 0; i < Mutations; i++)
        {
            byte[] bad = (byte[])good.Clone();
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            if (bad.AsSpan().SequenceEqual(good))
                continue;
            TlsError? error = Verify([bad], content, signature);
            Assert.NotNull(error);
            Assert.True(error.Kind is TlsErrorKind.CertificateRejected or TlsErrorKind.PeerMisbehaved, error.ToString());
        }
        for (int length = 0; length < good.Length; length++)
            Assert.Equal(TlsAlert.BadCertificate, Verify([good[..length]], content, signature)!.Alert);
        Assert.Equal(TlsAlert.BadCertificate, Verify([[.. good, 0]], content, signature)!.Alert);
        Assert.Equal(TlsAlert.BadCertificate, Verify([good, [0x30, 0x00]], content, signature)!.Alert);
    }

    [Fact]
    public void PEM_is_no_certificate_on_the_wire()
    {
        byte[] pem = System.Text.Encoding.ASCII.GetBytes(TestCertificates.EcdsaP256.ExportCertificatePem());
        Assert.Equal(TlsAlert.BadCertificate, Verify([pem], new byte[130], [1])!.Alert);
    }

    [Fact]
    public void Certificates_that_the_chain_does_not_need_change_nothing()
    {
        byte[] content = new byte[130];
        byte[] buffer = new byte[CertificateSignature.MaxSize];
        byte[] signature = buffer[..CertificateSignature.Sign(TestCertificates.EcdsaP256, SignatureAlgorithm.EcdsaP256Sha256, content, buffer)];
        Assert.Null(Verify([TestCertificates.EcdsaP256.RawData, TestCertificates.Rsa2048.RawData, TestCertificates.Root.RawData], content, signature));
        // A root that the server sends is not trusted for that.
        using X509Certificate2 own = TestCertificates.SelfSigned();
        signature = buffer[..CertificateSignature.Sign(own, SignatureAlgorithm.EcdsaP256Sha256, content, buffer)];
        Assert.Equal(TlsAlert.UnknownCa, Verify([own.RawData, own.RawData], content, signature)!.Alert);
    }

    private static TlsError? Verify(byte[][] chain, byte[] content, byte[] signature)
    {
        using var work = new ServerCertificateVerification(TlsPair.ClientOptions(), chain, TlsSignatureScheme.EcdsaSecp256r1Sha256, content, signature, []);
        work.Execute();
        Assert.True(work.IsDone);
        return work.Error;
    }
}
