using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Wire;

/// <summary>The CertificateRequest and what it names (RFC 8446 §4.3.2, §4.2.3, §4.2.4).</summary>
public sealed class CertificateRequestTests
{
    [Fact]
    public void What_is_written_is_read_again()
    {
        byte[] one = TestCertificates.Root.SubjectName.RawData, other = new X500DistinguishedName("CN=other").RawData;
        byte[] message = ScriptedPeer.Build(writer => CertificateRequestMessage.Write(writer, [1, 2, 3], [TlsSignatureScheme.Ed25519], [one, other]));
        Assert.Equal((byte)HandshakeType.CertificateRequest, message[0]);
        Assert.Null(CertificateRequestMessage.Parse(message.AsSpan(4), out CertificateRequestMessage request));
        Assert.Equal([1, 2, 3], request.Context.ToArray());
        Assert.Equal(1, request.Schemes.Count);
        Assert.True(request.Schemes.Contains(0x0807));
        Assert.True(request.CertificateSchemes.Contains(0x0807) && request.CertificateSchemes.Contains(0x0401));
        Assert.True(request.Authorities.Contains(one) && request.Authorities.Contains(other));
        Assert.False(request.Authorities.Contains(one.AsSpan(1)));

        Assert.Null(CertificateRequestMessage.Parse(ScriptedPeer.Build(writer => CertificateRequestMessage.Write(writer, [], [TlsSignatureScheme.Ed25519], [])).AsSpan(4), out request));
        Assert.True(request.Authorities.IsEmpty);
        // RFC 8446 §4.2.3: without signature_algorithms_cert, signature_algorithms count for the certificates too.
        Assert.Null(CertificateRequestMessage.Parse([0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3], out request));
        Assert.True(request.CertificateSchemes.Contains(0x0403) && !request.CertificateSchemes.Contains(0x0401));
    }

    [Fact]
    public void Of_many_authorities_as_many_are_named_as_fit()
    {
        byte[][] names = [.. Enumerable.Range(0, 3000).Select(i => new X500DistinguishedName($"CN=authority {i}").RawData)];
        byte[] message = ScriptedPeer.Build(writer => CertificateRequestMessage.Write(writer, [], TlsSignatureSchemes.Default, names));
        Assert.InRange(message.Length, 8192, 16_384);
        Assert.Null(CertificateRequestMessage.Parse(message.AsSpan(4), out CertificateRequestMessage request));
        Assert.True(request.Authorities.Contains(names[0]));
        Assert.False(request.Authorities.Contains(names[^1]));
    }

    [Theory]
    [InlineData("SHA256", RSASignaturePaddingMode.Pkcs1, 0x0401)]
    [InlineData("SHA384", RSASignaturePaddingMode.Pkcs1, 0x0501)]
    [InlineData("SHA512", RSASignaturePaddingMode.Pkcs1, 0x0601)]
    [InlineData("SHA256", RSASignaturePaddingMode.Pss, 0x0804, 0x0809)]
    [InlineData("SHA384", RSASignaturePaddingMode.Pss, 0x0805, 0x080A)]
    [InlineData("SHA512", RSASignaturePaddingMode.Pss, 0x0806, 0x080B)]
    public void Signatures_of_RSA_are_told_apart(string hash, RSASignaturePaddingMode padding, params int[] schemes)
    {
        using RSA rsa = RSA.Create();
        rsa.ImportFromPem(TestCertificates.Rsa2048.GetRSAPrivateKey()!.ExportRSAPrivateKeyPem());
        var request = new CertificateRequest("CN=x", rsa, new HashAlgorithmName(hash), padding == RSASignaturePaddingMode.Pss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Equal(schemes.Select(scheme => (ushort)scheme), CertificateSignatureSchemes.Of(certificate));
    }

    [Theory]
    [InlineData("SHA256", 0x0403)]
    [InlineData("SHA384", 0x0503)]
    [InlineData("SHA512", 0x0603)]
    public void Signatures_of_ECDSA_are_told_apart(string hash, int scheme)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=x", key, new HashAlgorithmName(hash)).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Equal([(ushort)scheme], CertificateSignatureSchemes.Of(certificate));
    }

    /// <summary>RFC 8446 §4.4.2.2: the root's signature over itself does not count, its signature over others does.</summary>
    [Fact]
    public void A_chain_is_acceptable_if_each_of_its_signatures_is()
    {
        var credential = new TlsCredential(TestCertificates.Rsa2048, [TestCertificates.Root]);
        Assert.True(Accepts(0x04, 0x03));
        Assert.False(Accepts(0x08, 0x04));
        Assert.True(Accepts(0x08, 0x04, 0x04, 0x03));
        using X509Certificate2 self = TestCertificates.SelfSigned();
        credential = new TlsCredential(self);
        Assert.True(Accepts(0x08, 0x04));

        bool Accepts(params byte[] schemes)
        {
            Assert.True(CodePointList.TryParse(schemes, out CodePointList list));
            return credential.IsSignedWith(list);
        }
    }
}
