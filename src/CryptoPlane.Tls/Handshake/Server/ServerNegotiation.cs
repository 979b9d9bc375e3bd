using System.Net.Security;
using System.Runtime.CompilerServices;
using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>
/// What a server chose from a ClientHello (RFC 8446 §4.1.1): version, suite, group, protocol. The certificate is
/// <see cref="ServerCertificateChoice"/>'s.
/// </summary>
internal readonly ref struct ServerNegotiation
{
    public TlsCipherSuite CipherSuite { get; private init; }

    public TlsNamedGroup Group { get; private init; }

    public KeyExchangeGroup KeyExchange { get; private init; }

    /// <summary>The client's share of the group; empty if a HelloRetryRequest must ask for one.</summary>
    public ReadOnlySpan<byte> ClientShare { get; private init; }

    /// <summary>How many shares the client sent.</summary>
    public int ClientShareCount { get; private init; }

    public SslApplicationProtocol ApplicationProtocol { get; private init; }

    public string? ServerName { get; private init; }

    public bool OffersEarlyData { get; private init; }

    /// <summary>The longest record that the client is ready to open (RFC 8449); 0 if it does not say.</summary>
    public int RecordSizeLimit { get; private init; }

    /// <summary>How the client wants a certificate.</summary>
    public CertificateForm CertificateForm { get; private init; }

    public static TlsError? Negotiate(TlsServerOptions options, ClientHello hello, out ServerNegotiation negotiated)
    {
        negotiated = default;
        ExtensionList extensions = hello.Extensions;
        if (CheckVersion(hello) is { } versionError)
            return versionError;

        if (!TryChoose(options.CipherSuites, hello.CipherSuites, out TlsCipherSuite suite))
            return TlsError.Incompatible(TlsAlert.HandshakeFailure, "The client offers no cipher suite of this server's.");
        if (CheckPreSharedKey(extensions) is { } pskError)
            return pskError;
        if (ChooseGroup(options, extensions, out TlsNamedGroup group, out ReadOnlySpan<byte> share, out int shareCount) is { } groupError)
            return groupError;
        if (ParseServerName(extensions, out string? serverName) is { } nameError)
            return nameError;
        if (ChooseProtocol(options, extensions, out SslApplicationProtocol protocol) is { } protocolError)
            return protocolError;
        if (ParseRecordSizeLimit(extensions, out int recordSizeLimit) is { } limitError)
            return limitError;
        if (CertificateForm.Parse(extensions, isServers: false, out CertificateForm form) is { } formError)
            return formError;

        negotiated = new ServerNegotiation
        {
            CipherSuite = suite,
            Group = group,
            KeyExchange = group.KeyExchange()!,
            ClientShare = share,
            ClientShareCount = shareCount,
            ApplicationProtocol = protocol,
            ServerName = serverName,
            OffersEarlyData = extensions.Contains(ExtensionType.EarlyData),
            RecordSizeLimit = recordSizeLimit,
            CertificateForm = form,
        };
        return null;
    }

    private static TlsError? CheckVersion(ClientHello hello)
    {
        // RFC 8446 §D.5: "Any endpoint receiving a Hello message with ClientHello.legacy_version … set to 0x0300 MUST abort … with a "protocol_version" alert."
        if (hello.LegacyVersion <= ProtocolVersions.Ssl30)
            return TlsError.Incompatible(TlsAlert.ProtocolVersion, "The client speaks SSL 3.0 or older.");
        // RFC 8446 §4.2.1: without supported_versions the client speaks TLS 1.2 at most; with it, nothing else counts.
        if (!hello.Extensions.TryGet(ExtensionType.SupportedVersions, out ReadOnlySpan<byte> data))
            return TlsError.Incompatible(TlsAlert.ProtocolVersion, "The client does not speak TLS 1.3.");
        if (!SupportedVersionsExtension.TryParse(data, out CodePointList versions))
            return TlsError.Decode("The client's supported_versions are malformed.");
        if (!versions.Contains(ProtocolVersions.Tls13))
            return TlsError.Incompatible(TlsAlert.ProtocolVersion, "The client does not speak TLS 1.3.");
        // RFC 8446 §4.1.2: a TLS 1.3 ClientHello has exactly one compression method, the null one.
        if (hello.CompressionMethods.Length != 1 || hello.CompressionMethods[0] != 0)
            return TlsError.Illegal("A TLS 1.3 ClientHello offers compression.");
        return null;
    }

    private static TlsError? CheckPreSharedKey(ExtensionList extensions)
    {
        bool seen = false;
        foreach (ExtensionList.Extension extension in extensions)
        {
            // RFC 8446 §4.2.11: "Servers MUST check that it is the last extension and otherwise fail the handshake with an "illegal_parameter" alert."
            if (seen)
                return TlsError.Illegal("pre_shared_key is not the ClientHello's last extension.");
            seen = extension.Type == ExtensionType.PreSharedKey;
        }
        // RFC 8446 §4.2.9: "If clients offer "pre_shared_key" without a "psk_key_exchange_modes" extension, servers MUST abort the handshake."
        return seen && !extensions.Contains(ExtensionType.PskKeyExchangeModes)
            ? TlsError.Misbehaved(TlsAlert.MissingExtension, "The client offers a PSK without psk_key_exchange_modes.")
            : null;
    }

    private static TlsError? ChooseGroup(TlsServerOptions options, ExtensionList extensions, out TlsNamedGroup group, out ReadOnlySpan<byte> share, out int shareCount)
    {
        group = TlsNamedGroup.None;
        share = default;
        shareCount = 0;
        // RFC 8446 §9.2: without a PSK, supported_groups and key_share must both be there.
        if (!extensions.TryGet(ExtensionType.SupportedGroups, out ReadOnlySpan<byte> groupsData)
            || !extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> sharesData))
            return TlsError.Misbehaved(TlsAlert.MissingExtension, "The ClientHello has no supported_groups or no key_share.");
        if (!SupportedGroupsExtension.TryParse(groupsData, out CodePointList groups))
            return TlsError.Decode("The client's supported_groups are malformed.");
        if (KeyShareExtension.Parse(sharesData, groups, out KeyShareExtension.ClientShareList shares) is { } error)
            return error;
        shareCount = shares.Count;
        // A group with a share saves a round trip, so it goes before a preferred one without.
        foreach (TlsNamedGroup candidate in options.Groups)
        {
            if (shares.TryGet(candidate, out share))
            {
                group = candidate;
                return null;
            }
        }
        return TryChoose(options.Groups, groups, out group)
            ? null
            : TlsError.Incompatible(TlsAlert.HandshakeFailure, "The client offers no key exchange group of this server's.");
    }

    private static TlsError? ParseServerName(ExtensionList extensions, out string? serverName)
    {
        serverName = null;
        return extensions.TryGet(ExtensionType.ServerName, out ReadOnlySpan<byte> data) ? ServerNameExtension.Parse(data, out serverName) : null;
    }

    private static TlsError? ParseRecordSizeLimit(ExtensionList extensions, out int limit)
    {
        limit = 0;
        if (!extensions.TryGet(ExtensionType.RecordSizeLimit, out ReadOnlySpan<byte> data))
            return null;
        if (!RecordSizeLimitExtension.TryParse(data, out limit))
            return TlsError.Decode("The client's record_size_limit is malformed.");
        // RFC 8449 §4: "An endpoint MUST treat receipt of a smaller value as a fatal error and generate an "illegal_parameter" alert." A
        // larger one than the protocol's maximum is for versions that this server does not know, and must not be enforced.
        if (limit < RecordSizeLimitExtension.Minimum)
            return TlsError.Illegal("The client's record_size_limit is smaller than 64.");
        limit = Math.Min(limit, TlsRecordSizes.MaxInnerPlaintext);
        return null;
    }

    private static TlsError? ChooseProtocol(TlsServerOptions options, ExtensionList extensions, out SslApplicationProtocol protocol)
    {
        protocol = default;
        if (!extensions.TryGet(ExtensionType.ApplicationProtocols, out ReadOnlySpan<byte> data))
            return null;
        if (!ApplicationProtocolsExtension.TryParse(data, out ApplicationProtocolsExtension.ProtocolNameList names))
            return TlsError.Decode("The client's list of application protocols is malformed.");
        if (options.ApplicationProtocols.Count == 0)
            return null;
        foreach (SslApplicationProtocol candidate in options.ApplicationProtocols)
        {
            if (names.Contains(candidate.Protocol.Span))
            {
                protocol = candidate;
                return null;
            }
        }
        // RFC 7301 §3.2: "the server SHALL respond with a fatal "no_application_protocol" alert".
        return TlsError.Incompatible(TlsAlert.NoApplicationProtocol, "The client offers no application protocol of this server's.");
    }

    private static bool TryChoose<T>(IReadOnlyList<T> preferred, CodePointList offered, out T chosen)
        where T : struct, Enum
    {
        foreach (T candidate in preferred)
        {
            // The enums of code points are all of two bytes.
            T value = candidate;
            if (offered.Contains(Unsafe.As<T, ushort>(ref value)))
            {
                chosen = candidate;
                return true;
            }
        }
        chosen = default;
        return false;
    }
}
