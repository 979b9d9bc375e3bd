namespace CryptoPlane.Ike.Wire;

/// <summary>
/// The payloads of one message, read and checked: those of a message in the clear, or those from within an Encrypted payload. What it
/// allocates is bounded by the message's length and by <see cref="PayloadWalk.MaximumPayloads"/>.
/// </summary>
internal sealed class IkePayloads
{
    private readonly List<NotifyPayload> _notifications = [];
    private readonly List<CertificatePayload> _certificates = [];
    private readonly List<CertificateRequestPayload> _certificateRequests = [];
    private readonly List<DeletePayload> _deletions = [];
    private readonly List<VendorIdPayload> _vendorIds = [];

    private IkePayloads()
    {
    }

    public SecurityAssociationPayload? SecurityAssociation { get; private set; }

    public KeyExchangePayload? KeyExchange { get; private set; }

    public NoncePayload? Nonce { get; private set; }

    public IdentificationPayload? Initiator { get; private set; }

    public IdentificationPayload? Responder { get; private set; }

    public AuthenticationPayload? Authentication { get; private set; }

    public TrafficSelectorsPayload? TrafficSelectorsInitiator { get; private set; }

    public TrafficSelectorsPayload? TrafficSelectorsResponder { get; private set; }

    public ConfigurationPayload? Configuration { get; private set; }

    public EapPayload? Eap { get; private set; }

    /// <summary>In the order of the message, as are the lists below.</summary>
    public IReadOnlyList<NotifyPayload> Notifications => _notifications;

    public IReadOnlyList<CertificatePayload> Certificates => _certificates;

    public IReadOnlyList<CertificateRequestPayload> CertificateRequests => _certificateRequests;

    public IReadOnlyList<DeletePayload> Deletions => _deletions;

    public IReadOnlyList<VendorIdPayload> VendorIds => _vendorIds;

    /// <summary>The first notification of a type, or null.</summary>
    public NotifyPayload? Find(NotifyType type) => _notifications.Find(n => n.NotifyType == type);

    /// <summary>The first notification that is an error, or null.</summary>
    public NotifyPayload? FindError() => _notifications.Find(n => n.IsError);

    /// <summary>Reads a chain of payloads, none of them encrypted.</summary>
    /// <param name="first">The type of the first one.</param>
    /// <param name="chain">The bytes after the IKE header, or the plaintext of an Encrypted payload without padding.</param>
    /// <param name="payloads">What was read; empty unless the result is <see cref="IkeParseResult.Ok"/>.</param>
    public static IkeParseResult Parse(PayloadType first, ReadOnlySpan<byte> chain, out IkePayloads payloads)
    {
        payloads = new IkePayloads();
        IkePayloads read = new();
        PayloadWalk walk = new(first, chain);
        while (walk.TryRead(out PayloadView view))
        {
            IkeParseError error = read.Take(view);
            if (error != IkeParseError.None)
                return new IkeParseResult(error, view.Type);
        }
        if (walk.Error != IkeParseError.None)
            return new IkeParseResult(walk.Error, walk.Current);
        payloads = read;
        return IkeParseResult.Ok;
    }

    private IkeParseError Take(PayloadView view)
    {
        switch (view.Type)
        {
            case PayloadType.SecurityAssociation:
                return Once(SecurityAssociation, SecurityAssociationPayload.Parse(view.Body, out SecurityAssociationPayload? sa),
                    SecurityAssociation = sa);
            case PayloadType.KeyExchange:
                return Once(KeyExchange, KeyExchangePayload.Parse(view.Body, out KeyExchangePayload? ke), KeyExchange = ke);
            case PayloadType.Nonce:
                return Once(Nonce, NoncePayload.Parse(view.Body, out NoncePayload? nonce), Nonce = nonce);
            case PayloadType.IdentificationInitiator:
                return Once(Initiator, IdentificationPayload.Parse(view.Type, view.Body, out IdentificationPayload? idi), Initiator = idi);
            case PayloadType.IdentificationResponder:
                return Once(Responder, IdentificationPayload.Parse(view.Type, view.Body, out IdentificationPayload? idr), Responder = idr);
            case PayloadType.Authentication:
                return Once(Authentication, AuthenticationPayload.Parse(view.Body, out AuthenticationPayload? auth), Authentication = auth);
            case PayloadType.TrafficSelectorsInitiator:
                return Once(TrafficSelectorsInitiator,
                    TrafficSelectorsPayload.Parse(view.Type, view.Body, out TrafficSelectorsPayload? tsi), TrafficSelectorsInitiator = tsi);
            case PayloadType.TrafficSelectorsResponder:
                return Once(TrafficSelectorsResponder,
                    TrafficSelectorsPayload.Parse(view.Type, view.Body, out TrafficSelectorsPayload? tsr), TrafficSelectorsResponder = tsr);
            case PayloadType.Configuration:
                return Once(Configuration, ConfigurationPayload.Parse(view.Body, out ConfigurationPayload? cp), Configuration = cp);
            case PayloadType.Eap:
                return Once(Eap, EapPayload.Parse(view.Body, out EapPayload? eap), Eap = eap);
            case PayloadType.Notify:
                return Append(_notifications, NotifyPayload.Parse(view.Body, out NotifyPayload? notify), notify);
            case PayloadType.Certificate:
                return Append(_certificates, CertificatePayload.Parse(view.Body, out CertificatePayload? certificate), certificate);
            case PayloadType.CertificateRequest:
                return Append(_certificateRequests,
                    CertificateRequestPayload.Parse(view.Body, out CertificateRequestPayload? request), request);
            case PayloadType.Delete:
                return Append(_deletions, DeletePayload.Parse(view.Body, out DeletePayload? delete), delete);
            case PayloadType.VendorId:
                _vendorIds.Add(VendorIdPayload.Parse(view.Body));
                return IkeParseError.None;
            case PayloadType.Encrypted:
            case PayloadType.EncryptedFragment:
                return IkeParseError.UnexpectedEncryptedPayload;
            default:
                // RFC 7296 §2.5: unknown payloads are skipped unless critical; the bit of known ones is ignored.
                return view.IsCritical ? IkeParseError.UnsupportedCriticalPayload : IkeParseError.None;
        }
    }

    /// <summary>
    /// The error of a payload that may be there once. C# evaluates arguments in order, so <paramref name="before"/> is the older value.
    /// </summary>
    private static IkeParseError Once(object? before, IkeParseError error, object? after) =>
        error != IkeParseError.None ? error : before is not null && after is not null ? IkeParseError.DuplicatePayload : IkeParseError.None;

    private static IkeParseError Append<T>(List<T> list, IkeParseError error, T? payload)
        where T : class
    {
        if (error == IkeParseError.None)
            list.Add(payload!);
        return error;
    }
}
