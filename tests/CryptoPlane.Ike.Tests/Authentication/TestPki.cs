using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Authentication;

/// <summary>Certificates that are made as a test wants them, under one root.</summary>
internal sealed class TestPki : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    private readonly List<IDisposable> _made = [];

    public TestPki() => Root = MakeAuthority("CN=Root", null);

    public X509Certificate2 Root { get; }

    public IkeCertificateTrust Trust => new([Root]);

    public void Dispose() => _made.ForEach(one => one.Dispose());

    /// <summary>Makes a CA certificate.</summary>
    public X509Certificate2 MakeAuthority(
        string name, X509Certificate2? issuer, bool isAuthority = true, int? pathLength = null, DateTimeOffset? notAfter = null, params X509Extension[] more)
    {
        ECDsa key = Keep(ECDsa.Create(ECCurve.NamedCurves.nistP256));
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, pathLength != null, pathLength ?? 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        foreach (X509Extension extension in more)
            request.CertificateExtensions.Add(extension);
        return Issue(request, issuer, key, Now.AddDays(-10), notAfter ?? Now.AddDays(300));
    }

    /// <summary>Makes a peer's certificate: a P-256 key and the FQDN gateway.example, unless the arguments say otherwise.</summary>
    public X509Certificate2 MakePeer(
        X509Certificate2? issuer = null,
        bool selfSigned = false,
        AsymmetricAlgorithm? key = null,
        Action<SubjectAlternativeNameBuilder>? names = null,
        string subject = "CN=peer",
        DateTimeOffset? notBefore = null,
        DateTimeOffset? notAfter = null,
        bool sha1 = false,
        params X509Extension[] more)
    {
        key ??= Keep(ECDsa.Create(ECCurve.NamedCurves.nistP256));
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder builder = new();
        if (names == null)
            builder.AddDnsName("gateway.example");
        else
            names(builder);
        X509Extension built = builder.Build();
        // A SEQUENCE of no names at all is no extension.
        if (built.RawData.Length > 2)
            request.CertificateExtensions.Add(built);
        foreach (X509Extension extension in more)
            request.CertificateExtensions.Add(extension);
        return Issue(request, selfSigned ? null : issuer ?? Root, key, notBefore ?? Now.AddDays(-1), notAfter ?? Now.AddDays(1), sha1);
    }

    public static CertificatePayload Payload(X509Certificate2 certificate) => new(CertificateEncoding.X509Signature, certificate.RawData);

    public static Action<SubjectAlternativeNameBuilder> Address(string address) => builder => builder.AddIpAddress(IPAddress.Parse(address));

    public T Keep<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    private X509Certificate2 Issue(
        CertificateRequest request, X509Certificate2? issuer, AsymmetricAlgorithm key, DateTimeOffset notBefore, DateTimeOffset notAfter, bool sha1 = false)
    {
        if (issuer == null)
            return Keep(request.CreateSelfSigned(notBefore, notAfter));
        // Issued by name and key only: the framework would keep a careless issuer from being careless.
        using ECDsa issuerKey = issuer.GetECDsaPrivateKey()!;
        X509SignatureGenerator generator = sha1 ? new Sha1Generator(issuerKey) : X509SignatureGenerator.CreateForECDsa(issuerKey);
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7F;
        X509Certificate2 issued = Keep(request.Create(issuer.SubjectName, generator, notBefore, notAfter, serial));
        return Keep(key is RSA rsa ? issued.CopyWithPrivateKey(rsa) : issued.CopyWithPrivateKey((ECDsa)key));
    }

    /// <summary>ecdsa-with-SHA1, which the framework does not make any more.</summary>
    private sealed class Sha1Generator(ECDsa key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => Convert.FromHexString("300906072A8648CE3D0401");

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
            key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);

        protected override System.Security.Cryptography.X509Certificates.PublicKey BuildPublicKey() => throw new NotSupportedException("The certificate's own key is in the request.");
    }
}
