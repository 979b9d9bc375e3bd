using System.Net.Security;
using System.Security.Cryptography;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Client and server against each other: every suite, group and signature, with and without a HelloRetryRequest.</summary>
public sealed class HandshakeMatrixTests
{
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, TlsSignatureScheme, bool> Combinations()
    {
        var data = new TheoryData<TlsCipherSuite, TlsNamedGroup, TlsSignatureScheme, bool>();
        foreach (TlsCipherSuite suite in Enum.GetValues<TlsCipherSuite>().Where(suite => suite != TlsCipherSuite.None))
        {
            foreach (TlsNamedGroup group in Enum.GetValues<TlsNamedGroup>().Where(group => group != TlsNamedGroup.None))
            {
                foreach (TlsSignatureScheme scheme in Enum.GetValues<TlsSignatureScheme>().Where(scheme => scheme != TlsSignatureScheme.None))
                {
                    data.Add(suite, group, scheme, false);
                    data.Add(suite, group, scheme, true);
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Both_sides_agree_and_data_flows(TlsCipherSuite suite, TlsNamedGroup group, TlsSignatureScheme scheme, bool retry)
    {
        TlsNamedGroup other = Enum.GetValues<TlsNamedGroup>().First(candidate => candidate != TlsNamedGroup.None && candidate != group);
        var clientOptions = new TlsClientOptions(TestCertificates.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            Groups = retry ? [other, group] : [group],
            KeyShareGroups = retry ? [other] : null,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        };
        var serverOptions = new TlsServerOptions(_ => TestCertificates.For(scheme))
        {
            CipherSuites = [suite],
            Groups = [group],
            SignatureSchemes = [scheme],
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        };
        using var pair = new TlsPair(clientOptions, serverOptions);
        pair.Run();

        Assert.Null(pair.Client.Error);
        Assert.Null(pair.Server.Error);
        Assert.Equal(TlsStatus.Complete, pair.ClientStatus);
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        foreach (TlsConnection side in new TlsConnection[] { pair.Client, pair.Server })
        {
            Assert.True(side.IsHandshakeComplete);
            Assert.Equal(suite, side.NegotiatedCipherSuite);
            Assert.Equal(group, side.NegotiatedGroup);
            Assert.Equal(scheme, side.NegotiatedSignatureScheme);
            Assert.Equal(SslApplicationProtocol.Http11, side.ApplicationProtocol);
            Assert.Equal(TestCertificates.ServerName, side.ServerName);
            Assert.Equal(retry, side.WasRetried);
        }
        Assert.Equal(TestCertificates.For(scheme).Certificate.RawData, pair.Client.RemoteCertificate!.RawData);
        // The client makes a key pair (twice if it must retry) and agrees; the server agrees and signs; the client verifies.
        Assert.Equal(retry ? 4 : 3, pair.Work.Count(work => work == TlsStatus.NeedsKeyAgreement));
        Assert.Single(pair.Work, TlsStatus.NeedsSignature);
        Assert.Single(pair.Work, TlsStatus.NeedsCertificateVerification);

        byte[] data = RandomNumberGenerator.GetBytes(40_000);
        Assert.Equal(data, TlsPair.Send(pair.Client, pair.Server, data));
        Assert.Equal(data, TlsPair.Send(pair.Server, pair.Client, data));

        byte[] clientKey = new byte[32], serverKey = new byte[32];
        pair.Client.ExportKeyingMaterial("EXPORTER-test", "context"u8, clientKey);
        pair.Server.ExportKeyingMaterial("EXPORTER-test", "context"u8, serverKey);
        Assert.Equal(clientKey, serverKey);
        Assert.NotEqual(new byte[32], clientKey);
    }
}
