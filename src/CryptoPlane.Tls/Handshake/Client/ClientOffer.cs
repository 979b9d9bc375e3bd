using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
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
        if (options.Session is { IsExpired: false } session && session.HasCredentialsOf(options))
            Keys.Add(new OfferedKey(session));
        Keys.AddRange(options.PreSharedKeys.Select(key => new OfferedKey(key)));
        // A key is of use with a suite of its hash only.
        Keys.RemoveAll(key => options.CipherSuites.All(suite => CipherSuiteParameters.Of(suite).Hash != key.Hash));
        // RFC 8446 §4.2.10: early data is for the first key, with the suite and the protocol of its session.
        if (options.DangerousSendEarlyData && Keys.Count != 0 && Keys[0].Session is { MaxEarlyData: > 0 } first
            && options.CipherSuites.Contains(first.CipherSuite)
            && (first.ApplicationProtocol == default || options.ApplicationProtocols.Contains(first.ApplicationProtocol)))
            EarlyDataSession = first;
        _protocols = [.. options.ApplicationProtocols.Select(protocol => protocol.Protocol.ToArray())];
        RandomNumberGenerator.Fill(_random);
        RandomNumberGenerator.Fill(_sessionId);
    }

    public TlsClientOptions Options { get; }

    public ReadOnlySpan<byte> Random => _random;

    public ReadOnlySpan<byte> SessionId => _sessionId;

    /// <summary>What a HelloRetryRequest gave to be echoed (RFC 8446 §4.2.2); empty for nothing.</summary>
    public byte[] Cookie { get; set; } = [];

    /// <summary>The pre-shared keys that the ClientHello offers, a session's first.</summary>
    public List<OfferedKey> Keys { get; } = [];

    /// <summary>The session that early data is offered with; null for none.</summary>
    public TlsSession? EarlyDataSession { get; private set; }

    /// <summary>Gives up early data: RFC 8446 §4.1.2 has it left out of the second ClientHello.</summary>
    public void DropEarlyData() => EarlyDataSession = null;

    /// <summary>Gives up the keys of another hash: RFC 8446 §4.1.4 has them left out of the second ClientHello.</summary>
    public void KeepKeysOf(TlsCipherSuite suite) => Keys.RemoveAll(key => key.Hash != CipherSuiteParameters.Of(suite).Hash);

    /// <summary>Whether the ClientHello has an extension, so that the server may answer it.</summary>
    public bool Offers(ExtensionType type) => type switch
    {
        ExtensionType.ServerName => !Options.IsAddress,
        ExtensionType.ApplicationProtocols => _protocols.Length != 0,
        ExtensionType.StatusRequest => Options.OcspStapling != TlsOcspStapling.None,
        ExtensionType.CompressCertificate => Options.CertificateCompression.Count != 0,
        ExtensionType.Cookie => Cookie.Length != 0,
        ExtensionType.EarlyData => EarlyDataSession is not null,
        ExtensionType.PreSharedKey => Keys.Count != 0,
        // RFC 8446 §4.2.9: it says as well which tickets are of use, so a client that wants some sends it with its first ClientHello.
        ExtensionType.PskKeyExchangeModes => Keys.Count != 0 || Options.KeepSessions,
        ExtensionType.SupportedVersions or ExtensionType.SupportedGroups or ExtensionType.SignatureAlgorithms
            or ExtensionType.SignatureAlgorithmsCert or ExtensionType.KeyShare or ExtensionType.RecordSizeLimit => true,
        ExtensionType.PostHandshakeAuth => Options.AllowPostHandshakeAuthentication,
        _ => false,
    };

    /// <summary>Writes the ClientHello.</summary>
    /// <param name="writer">Takes the message.</param>
    /// <param name="shares">The key shares.</param>
    /// <param name="transcript">What was said before: a binder is over it too.</param>
    public void Write(WireWriter writer, ClientKeyShares shares, TranscriptHash transcript)
    {
        int start = writer.Length, bindersLength = 0;
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
        shares.Write(writer);
        if (_protocols.Length != 0)
            ApplicationProtocolsExtension.Write(writer, _protocols);
        RecordSizeLimitExtension.Write(writer, Options.RecordSizeLimit);
        if (Options.OcspStapling != TlsOcspStapling.None)
            StatusRequestExtension.Write(writer);
        if (Options.CertificateCompression.Count != 0)
            CompressCertificateExtension.Write(writer, Options.CertificateCompression);
        // RFC 8446 §4.2.6: "The "extension_data" field of the "post_handshake_auth" extension is zero length."
        if (Offers(ExtensionType.PostHandshakeAuth))
            writer.End(writer.BeginExtension(ExtensionType.PostHandshakeAuth));
        if (Cookie.Length != 0)
            CookieExtension.Write(writer, Cookie);
        if (Offers(ExtensionType.PskKeyExchangeModes))
            PskKeyExchangeModesExtension.Write(writer);
        if (Keys.Count != 0)
        {
            if (EarlyDataSession is not null)
                EarlyDataExtension.Write(writer);
            // RFC 8446 §4.2.11: the last extension.
            bindersLength = PreSharedKeyExtension.WriteClient(writer, [.. Keys.Select(key => key.Offer)]);
        }
        writer.End(extensions);
        writer.End(message);
        WriteBinders(writer, start, bindersLength, transcript);
    }

    /// <summary>Puts the binders in their places, once the lengths before them are there.</summary>
    private void WriteBinders(WireWriter writer, int start, int bindersLength, TranscriptHash transcript)
    {
        Span<byte> binder = stackalloc byte[TlsHashes.MaxLength];
        int end = writer.Length - bindersLength, at = end + 2;
        foreach (OfferedKey key in Keys)
        {
            int length = key.Hash.Length();
            key.ComputeBinder(transcript, writer.Written[start..end], binder);
            writer.Overwrite(at + 1, binder[..length]);
            at += 1 + length;
        }
    }

    /// <summary>What is wrong with an extension that its message has no place for (RFC 8446 §4.2).</summary>
    public TlsError Misplaced(ExtensionType type) => Offers(type)
        // "If an implementation receives an extension which it recognizes and which is not specified for the message in which it
        // appears, it MUST abort the handshake with an "illegal_parameter" alert."
        ? TlsError.Illegal($"The server sent the extension {type} in a message that has no place for it.")
        // "Upon receiving such an extension, an endpoint MUST abort the handshake with an "unsupported_extension" alert."
        : TlsError.Misbehaved(TlsAlert.UnsupportedExtension, "The server sent an extension that the client did not offer.");
}
