using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>What a server asks of the extensions of a client's certificate (oid_filters, RFC 8446 §4.2.5), and what a client makes of it.</summary>
public sealed class OidFilterTests
{
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2", MailPurpose = "1.3.6.1.5.5.7.3.4", AnyPurpose = "2.5.29.37.0";
    private const X509KeyUsageFlags Sign = X509KeyUsageFlags.DigitalSignature, Agree = X509KeyUsageFlags.KeyAgreement, Decipher = X509KeyUsageFlags.DecipherOnly;

    private static readonly TlsCredential s_plain = Issue(null), s_signs = Issue(Sign), s_both = Issue(Sign | Agree | Decipher);
    private static readonly TlsCredential s_client = Issue(Sign, ClientPurpose), s_mail = Issue(Sign, ClientPurpose, MailPurpose);
    private static readonly TlsCredential s_any = Issue(Sign, AnyPurpose, ClientPurpose);

    private static readonly TlsCredential[] s_all = [s_plain, s_signs, s_both, s_client, s_mail, s_any];

    [Fact]
    public void A_client_shows_the_first_certificate_with_the_usages_that_are_asked_for()
    {
        Assert.Same(s_plain, Shown(X509KeyUsageFlags.None, []));
        Assert.Same(s_signs, Shown(Sign, []));
        Assert.Same(s_both, Shown(Agree, []));
        Assert.Same(s_both, Shown(Sign | Decipher, []));
        Assert.Null(Shown(Sign | X509KeyUsageFlags.CrlSign, []));
        Assert.Same(s_client, Shown(X509KeyUsageFlags.None, [ClientPurpose]));
        Assert.Same(s_mail, Shown(Sign, [MailPurpose]));
        Assert.Same(s_mail, Shown(Sign, [MailPurpose, ClientPurpose]));
        // anyExtendedKeyUsage in a certificate does not have other purposes (§4.2.5: "all … are also found").
        Assert.Null(Shown(X509KeyUsageFlags.None, [ServerPurpose]));
        Assert.Null(Shown(Agree, [ClientPurpose]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_refuses_a_certificate_without_the_usages(bool withRoots)
    {
        // Without roots the application would be asked next, and nobody is here to answer.
        TlsAlert? accepted = withRoots ? null : TlsAlert.InternalError;
        // A client that passes over the filters.
        TlsServerOptions options = Server(Sign, [MailPurpose], withRoots: withRoots);
        foreach (TlsCredential credential in s_all)
        {
            using var client = new ScriptedClient();
            using var server = new TlsServer(options);
            client.Send(client.Hello().ToMessage());
            ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
            client.TakeFlight(flight);
            client.Send(ScriptedClient.Certificate(credential));
            client.Send(client.CertificateVerify(credential, TlsSignatureScheme.EcdsaSecp256r1Sha256));
            client.Send(client.Finished());
            ScriptedPeer.Drive(server, client.Take(), out _);
            Assert.Equal(credential == s_mail ? accepted : TlsAlert.UnsupportedCertificate, server.Error?.Alert);
        }
    }

    [Fact]
    public void Sessions_of_other_filters_are_not_resumed()
    {
        var ring = new TlsTicketKeyRing();
        TlsSession session;
        using (var pair = new TlsPair(Client(keepSessions: true), Server(Sign, [], ring: ring)))
        {
            pair.Run();
            pair.ReadTickets();
            Assert.True(pair.Client.TryTakeSession(out session!));
        }
        using (session)
        {
            foreach (bool resumed in (bool[])[true, false])
            {
                TlsServerOptions options = Server(resumed ? Sign : Sign | Agree, [], ring: ring);
                using var pair = new TlsPair(Client(session: session), options);
                pair.Run();
                Assert.Equal(resumed, pair.Server.IsResumed);
                Assert.Equal((resumed ? s_signs : s_both).Certificate.RawData, pair.Server.RemoteCertificate!.RawData);
            }
        }
    }

    [Fact]
    public void What_is_not_recognized_is_passed_over()
    {
        // An unknown extension with a value, one without, and the key usage behind them.
        byte[] list = Filters([("060355040A", "0102"), ("06032A0304", ""), ("0603551D0F", "03020780")]);
        Assert.Null(OidFiltersExtension.Parse(list, out OidFiltersExtension.FilterList filters));
        Assert.True(filters.Match(s_signs.Certificate));
        Assert.False(filters.Match(s_plain.Certificate));
        // Without a value the extension need only be there.
        Assert.Null(OidFiltersExtension.Parse(Filters([("0603551D0F", ""), ("0603551D25", "")]), out filters));
        Assert.True(filters.Match(s_client.Certificate));
        Assert.False(filters.Match(s_signs.Certificate));
        // An empty list asks for nothing.
        Assert.Null(OidFiltersExtension.Parse([0, 0], out filters));
        Assert.True(filters.Match(s_plain.Certificate));
    }

    [Theory]
    [InlineData("", TlsAlert.DecodeError)]
    [InlineData("00", TlsAlert.DecodeError)]
    [InlineData("000000", TlsAlert.DecodeError)]
    [InlineData("00080603551D0F0000", TlsAlert.DecodeError)]
    [InlineData("0003000000", TlsAlert.DecodeError)]                                             // an empty OID
    [InlineData("0007040603551D0000", TlsAlert.DecodeError)]                                     // an OID cut short
    [InlineData("0009060603551D0F000000", TlsAlert.DecodeError)]                                 // a byte behind the OID
    [InlineData("0008050403551D0F0000", TlsAlert.DecodeError)]                                   // an OCTET STRING for an OID
    [InlineData("0008050603551D8F0000", TlsAlert.DecodeError)]                                   // an OID that does not end
    [InlineData("000B050603551D0F0003030207", TlsAlert.DecodeError)]                             // a BIT STRING cut short
    [InlineData("000C050603551D0F000403020781", TlsAlert.DecodeError)]                           // unused bits that are set
    [InlineData("000D050603551D0F00050302078000", TlsAlert.DecodeError)]                         // a byte behind the BIT STRING
    [InlineData("000A050603551D2500023000", TlsAlert.DecodeError)]                               // no purpose
    [InlineData("000C050603551D25000430020600", TlsAlert.DecodeError)]                           // an empty purpose
    [InlineData("000A050603551D2500020500", TlsAlert.DecodeError)]                               // no SEQUENCE
    [InlineData("0010050603551D0F0000050603551D0F0000", TlsAlert.IllegalParameter)]              // an OID twice
    [InlineData("000E0406022A030000040602" + "2A030000", TlsAlert.IllegalParameter)]             // an unknown OID twice
    [InlineData("0010050603551D250008300606" + "04551D2500", TlsAlert.IllegalParameter)]         // anyExtendedKeyUsage
    public void Malformed_filters_are_refused(string hex, TlsAlert alert) =>
        Assert.Equal(alert, OidFiltersExtension.Parse(Convert.FromHexString(hex), out _)?.Alert);

    [Fact]
    public void Every_truncation_and_every_flipped_bit_is_survived()
    {
        byte[] list = OidFiltersExtension.Encode(Sign | Decipher, [new Oid(ClientPurpose), new Oid(MailPurpose)])!;
        Assert.Null(OidFiltersExtension.Parse(list, out OidFiltersExtension.FilterList filters));
        Assert.False(filters.Match(s_mail.Certificate));
        for (int length = 0; length < list.Length; length++)
            Assert.Equal(TlsAlert.DecodeError, OidFiltersExtension.Parse(list.AsSpan(0, length), out _)?.Alert);
        for (int bit = 0; bit < 8 * list.Length; bit++)
        {
            byte[] flipped = [.. list];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            if (OidFiltersExtension.Parse(flipped, out filters) is null)
                filters.Match(s_mail.Certificate);
        }
    }

    [Fact]
    public void Purposes_that_cannot_be_asked_for_are_refused()
    {
        foreach (Oid wrong in (Oid[])[new Oid(AnyPurpose), new Oid(), new Oid("not an OID")])
            Assert.Throws<ArgumentException>(() => new TlsClientAuthentication { RequiredPurposes = [wrong] });
        Assert.Null(new TlsClientAuthentication().OidFilters);
        // The order in which they are set does not count.
        Assert.Equal(
            new TlsClientAuthentication { RequiredPurposes = [new Oid(ClientPurpose)], RequiredKeyUsages = Sign }.OidFilters,
            new TlsClientAuthentication { RequiredKeyUsages = Sign, RequiredPurposes = [new Oid(ClientPurpose)] }.OidFilters);
    }

    private static byte[] Filters((string Oid, string Value)[] filters)
    {
        byte[] list = [.. filters.SelectMany(filter => (byte[])
            [(byte)(filter.Oid.Length / 2), .. Convert.FromHexString(filter.Oid), 0, (byte)(filter.Value.Length / 2), .. Convert.FromHexString(filter.Value)])];
        return [0, (byte)list.Length, .. list];
    }

    private static TlsCredential? Shown(X509KeyUsageFlags usages, string[] purposes)
    {
        using var pair = new TlsPair(Client(), Server(usages, purposes, isRequired: false));
        pair.Run();
        Assert.Null(pair.Server.Error);
        Assert.True(pair.Server.IsHandshakeComplete);
        return s_all.SingleOrDefault(credential => pair.Server.RemoteCertificate?.RawData.AsSpan().SequenceEqual(credential.Certificate.RawData) == true);
    }

    private static TlsClientOptions Client(bool keepSessions = false, TlsSession? session = null) => new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        Groups = [TlsNamedGroup.X25519],
        Credentials = s_all,
        KeepSessions = keepSessions,
        Session = session,
    };

    private static TlsServerOptions Server(
        X509KeyUsageFlags usages, string[] purposes, bool isRequired = true, bool withRoots = true, TlsTicketKeyRing? ring = null)
    {
        Oid[] oids = [.. purposes.Select(purpose => new Oid(purpose))];
        TlsClientAuthentication authentication = withRoots
            ? new([TestCertificates.Root]) { IsRequired = isRequired, RequiredKeyUsages = usages, RequiredPurposes = oids }
            : new() { RequiredKeyUsages = usages, RequiredPurposes = oids };
        return new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { ClientAuthentication = authentication, TicketProtector = ring };
    }

    private static TlsCredential Issue(X509KeyUsageFlags? usages, params string[] purposes)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=user", key, HashAlgorithmName.SHA256);
        if (usages is { } flags)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(flags, true));
        if (purposes.Length != 0)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. purposes.Select(purpose => new Oid(purpose))], false));
        using X509Certificate2 certificate = TestCertificates.Sign(request, "user", null, null);
        return new TlsCredential(certificate.CopyWithPrivateKey(key));
    }
}
