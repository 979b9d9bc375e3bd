using System.Security.Cryptography;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>What a client's ClientHello says (RFC 8446 §4.1.2). Kept for the second one, and for checking the server's answers against it.</summary>
internal sealed class ClientOffer
{
    private readonly byte[] _random = new byte[ClientHello.RandomSize];

    // RFC 8446 §D.4: a session ID that is not empty makes the handshake look like a resumption of TLS 1.2 to middleboxes.
    private readonly byte[] _sessionId = new byte[ClientHello.MaxSessionIdSize];

    private readonly byte[][] _protocols;

    public ClientOffer(TlsClientOptions options)
    {
        Options = options;
        _protocols = [.. options.ApplicationProtocols.Select(protocol => protocol.Protocol.ToArray())];
        RandomNumberGenerator.Fill(_random);
        RandomNumberGenerator.Fill(_sessionId);
    }

    public TlsClientOptions Options { get; }

    public ReadOnlySpan<byte> Random => _random;

    public ReadOnlySpan<byte> SessionId => _sessionId;

    /// <summary>What a HelloRetryRequest gave to be echoed (RFC 8446 §4.2.2); empty for nothing.</summary>
    public byte[] Cookie { get; set; } = [];

    /// <summary>Whether the ClientHello has an extension, so that the server may answer it.</summary>
    public bool Offers(ExtensionType type) => type switch
    {
        ExtensionType.ServerName => !Options.IsAddress,
        ExtensionType.ApplicationProtocols => _protocols.Length != 0,
        ExtensionType.Cookie => Cookie.Length != 0,
        ExtensionType.SupportedVersions or ExtensionType.SupportedGroups or ExtensionType.SignatureAlgorithms
            or ExtensionType.SignatureAlgorithmsCert or ExtensionType.KeyShare => true,
        _ => false,
    };

    /// <summary>Writes the ClientHello with one share.</summary>
    public void Write(WireWriter writer, TlsNamedGroup group, ReadOnlySpan<byte> share)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.ClientHello);
        writer.WriteUInt16(ProtocolVersions.Legacy);
        writer.WriteBytes(_random);
        writer.WriteVector8(_sessionId);
        WireWriter.LengthScope suites = writer.Begin(2);
        foreach (TlsCipherSuite suite in Options.CipherSuites)
            writer.WriteUInt16((ushort)suite);
        writer.End(suites);
        writer.WriteVector8([0]);

        WireWriter.LengthScope extensions = writer.Begin(2);
        if (Offers(ExtensionType.ServerName))
            ServerNameExtension.Write(writer, Options.ServerName);
        SupportedVersionsExtension.Write(writer);
        SupportedGroupsExtension.Write(writer, Options.Groups);
        SignatureAlgorithmsExtension.Write(writer, ExtensionType.SignatureAlgorithms, Options.SignatureSchemes, []);
        SignatureAlgorithmsExtension.Write(writer, ExtensionType.SignatureAlgorithmsCert, Options.SignatureSchemes, TlsSignatureSchemes.CertificatesOnly);
        KeyShareExtension.WriteClient(writer, group, share);
        if (_protocols.Length != 0)
            ApplicationProtocolsExtension.Write(writer, _protocols);
        if (Cookie.Length != 0)
            CookieExtension.Write(writer, Cookie);
        writer.End(extensions);
        writer.End(message);
    }

    /// <summary>What is wrong with an extension that its message has no place for (RFC 8446 §4.2).</summary>
    public TlsError Misplaced(ExtensionType type) => Offers(type)
        // "If an implementation receives an extension which it recognizes and which is not specified for the message in which it
        // appears, it MUST abort the handshake with an "illegal_parameter" alert."
        ? TlsError.Illegal($"The server sent the extension {type} in a message that has no place for it.")
        // "Upon receiving such an extension, an endpoint MUST abort the handshake with an "unsupported_extension" alert."
        : TlsError.Misbehaved(TlsAlert.UnsupportedExtension, "The server sent an extension that the client did not offer.");
}
