using System.Net;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Responder;

/// <summary>
/// Stands before the responder: every IKE_SA_INIT request asks it first, and what a stranger can make this side compute, hold and send is
/// bounded here (RFC 7296 §2.6, RFC 8019). On the endpoint's thread.
/// <list type="bullet">
/// <item>what it knows: <see cref="NextExpiry"/>, <see cref="HalfOpenCount"/>, <see cref="Counters"/>;</item>
/// <item>
/// what happens: <see cref="Decide"/>, and for what it accepts <see cref="Open"/> and once <see cref="Close"/>; <see cref="TryRefuseVersion"/>;
/// </item>
/// <item>what time does: <see cref="TryExpire"/>.</item>
/// </list>
/// </summary>
internal sealed class InitGate : IDisposable
{
    private readonly InitGateLimits _limits;
    private readonly StatelessCookie _cookies;
    private readonly HalfOpenTable _halfOpen;
    private readonly AddressRates _addressesBeforeCookie;
    private readonly AddressRates _addresses;
    private TokenBucket _allBeforeCookie;
    private TokenBucket _all;
    private TokenBucket _refusals;

    public InitGate(InitGateLimits limits, IkeRandomness randomness)
    {
        _limits = limits;
        _cookies = new StatelessCookie(randomness, limits.CookieLifetime);
        _halfOpen = new HalfOpenTable(limits.HalfOpenTimeout);
        _addressesBeforeCookie = new AddressRates(randomness);
        _addresses = new AddressRates(randomness);
    }

    /// <summary>When <see cref="TryExpire"/> has something to do; <see cref="long.MaxValue"/>: nothing is half open.</summary>
    public long NextExpiry => _halfOpen.NextExpiry;

    /// <summary>IKE SAs that are half open.</summary>
    public int HalfOpenCount => _halfOpen.Count;

    /// <summary>What it did so far.</summary>
    public InitGateCounters Counters { get; } = new();

    /// <summary>The same for an operator.</summary>
    public IkeGateReport Report() => new()
    {
        HalfOpen = HalfOpenCount,
        Accepted = Counters.Accepted,
        AcceptedWithCookie = Counters.AcceptedWithCookie,
        Repeated = Counters.Repeated,
        CookiesDemanded = Counters.CookiesDemanded,
        CookiesRefused = Counters.CookiesRefused,
        Malformed = Counters.Malformed,
        TooManyHalfOpen = Counters.TooManyHalfOpen,
        TooManyFromAddress = Counters.TooManyFromAddress,
        TooFast = Counters.TooFast,
        VersionsRefused = Counters.VersionsRefused,
        Expired = Counters.Expired,
    };

    /// <summary>
    /// Decides about a request whose header was parsed. Costs a stranger's request at most two hashes, and without an answer no memory.
    /// </summary>
    /// <param name="remote">Where it came from.</param>
    /// <param name="header">Its header.</param>
    /// <param name="message">All of it.</param>
    /// <param name="now">The time.</param>
    /// <param name="ticket">For <see cref="Open"/>, when it is accepted.</param>
    /// <param name="reply">
    /// The message to send, when the decision is <see cref="InitDecision.Reply"/>, else empty: the same answer again, or a cookie.
    /// </param>
    public InitDecision Decide(
        IPEndPoint remote, in IkeHeader header, ReadOnlySpan<byte> message, long now, out InitTicket ticket, out byte[] reply)
    {
        reply = [];
        ticket = default;
        if (!InitRequest.TryRead(header, message, out InitRequest request))
        {
            Counters.Malformed++;
            return InitDecision.Drop;
        }
        ticket = InitTicket.Of(remote, message);
        if (_halfOpen.FindAnswer(ticket.Digest) is byte[] answer)
        {
            Counters.Repeated++;
            reply = answer;
            return InitDecision.Reply;
        }
        if (!request.Cookie.IsEmpty && _cookies.IsGood(request.Cookie, remote.Address, header.InitiatorSpi, request.Nonce, now))
            return DecideWithCookie(ticket, now);
        if (_halfOpen.Count < _limits.HalfOpenBeforeCookie && _halfOpen.CountOf(ticket.Address) < _limits.HalfOpenPerAddressBeforeCookie
            && _addressesBeforeCookie.TryTake(ticket.Address, _limits.PerSecondPerAddressBeforeCookie, now)
            && _allBeforeCookie.TryTake(_limits.PerSecondBeforeCookie, now))
        {
            Counters.Accepted++;
            return InitDecision.Accept;
        }
        if (request.Cookie.IsEmpty)
            Counters.CookiesDemanded++;
        else
            Counters.CookiesRefused++;
        reply = DemandCookie(header, _cookies.Make(remote.Address, header.InitiatorSpi, request.Nonce, now));
        return InitDecision.Reply;
    }

    /// <summary>An accepted request has an answer and an IKE SA, which is half open from now on.</summary>
    /// <param name="ticket">As <see cref="Decide"/> gave it for the request.</param>
    /// <param name="responderSpi">The IKE SA's local SPI.</param>
    /// <param name="answer">The IKE_SA_INIT response, sent again whenever the request comes again.</param>
    /// <param name="now">The time.</param>
    public void Open(in InitTicket ticket, ulong responderSpi, byte[] answer, long now) => _halfOpen.Add(ticket, responderSpi, answer, now);

    /// <summary>An IKE SA is half open no more: it is established, or was given up. One that is not half open is ignored.</summary>
    public void Close(ulong responderSpi) => _halfOpen.Remove(responderSpi);

    /// <summary>Takes the next half-open IKE SA whose time is over; the caller forgets it.</summary>
    public bool TryExpire(long now, out ulong responderSpi)
    {
        if (!_halfOpen.TryExpire(now, out responderSpi))
            return false;
        Counters.Expired++;
        return true;
    }

    /// <summary>
    /// Answers a request of a higher major version than ours (RFC 7296 §2.5): the reply's own header says which version this side has.
    /// </summary>
    /// <param name="header">The request's header, as far as a later version still has it.</param>
    /// <param name="now">The time.</param>
    /// <param name="reply">The message to send; empty unless the result is true.</param>
    /// <returns>False for a response, and above the rate of such answers, which are longer than what they answer.</returns>
    public bool TryRefuseVersion(in IkeHeader header, long now, out byte[] reply)
    {
        reply = [];
        if (header.IsResponse || !_refusals.TryTake(_limits.RefusalsPerSecond, now))
            return false;
        Counters.VersionsRefused++;
        // RFC 7296 §1.5: SPIs, exchange and message ID are the request's, and so is the initiator flag turned round.
        IkeHeaderFlags flags = IkeHeaderFlags.Response | (header.FromInitiator ? 0 : IkeHeaderFlags.Initiator);
        IkeWriter writer = new(IkeHeader.Size + PayloadView.HeaderSize + 4);
        writer.Begin(header with { Flags = flags });
        reply = writer.Add(new NotifyPayload(NotifyType.InvalidMajorVersion)).ToMessage();
        return true;
    }

    /// <summary>Zeroes the secrets of cookies.</summary>
    public void Dispose() => _cookies.Dispose();

    private InitDecision DecideWithCookie(in InitTicket ticket, long now)
    {
        if (_halfOpen.Count >= _limits.HalfOpen)
        {
            Counters.TooManyHalfOpen++;
            return InitDecision.Drop;
        }
        if (_halfOpen.CountOf(ticket.Address) >= _limits.HalfOpenPerAddress)
        {
            Counters.TooManyFromAddress++;
            return InitDecision.Drop;
        }
        if (!_addresses.TryTake(ticket.Address, _limits.PerSecondPerAddress, now) || !_all.TryTake(_limits.PerSecond, now))
        {
            Counters.TooFast++;
            return InitDecision.Drop;
        }
        Counters.AcceptedWithCookie++;
        return InitDecision.Accept;
    }

    /// <summary>RFC 7296 §2.6: the header with a responder SPI of zero, and N(COOKIE) alone.</summary>
    private static byte[] DemandCookie(in IkeHeader request, byte[] cookie)
    {
        IkeWriter writer = new(IkeHeader.Size + PayloadView.HeaderSize + 4 + StatelessCookie.Length);
        writer.Begin(new IkeHeader(request.InitiatorSpi, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Response, 0));
        return writer.Add(new NotifyPayload(NotifyType.Cookie, cookie)).ToMessage();
    }
}
