using System.Net;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.Ike.Tests.Authentication;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Remote users: EAP within IKE_AUTH, and inner addresses.</summary>
public sealed class RemoteAccessTests : IDisposable
{
    private const long Now = 1_000;

    private readonly TestPki _pki = new();
    private readonly Users _eap = new();
    private readonly List<IDisposable> _users = [];
    private readonly TestPeer _gateway;

    public RemoteAccessTests() => _gateway = new TestPeer("gateway", 1, null, Connection());

    public void Dispose()
    {
        _users.ForEach(user => user.Dispose());
        _gateway.Dispose();
        _pki.Dispose();
    }

    [Fact]
    public void A_user_logs_in_and_gets_an_address_and_a_tunnel_for_it()
    {
        TestUser user = NewUser(1);
        IkePayloads greeting = user.Ask(Now, ConfigurationAttributeType.InternalIp4Address, ConfigurationAttributeType.InternalIp4Dns);
        // The gateway shows who it is before the user says anything that matters.
        Assert.Equal(PeerCertificateStatus.Trusted, PeerCertificate.Check(greeting.Certificates, _pki.Trust, IkeIdentity.Fqdn("gateway.example"), TestPki.Now, out var certificate));
        using (certificate)
            Assert.True(SignatureAuthentication.Verify(certificate!, greeting.Authentication!, user.GatewayOctets(greeting.Responder!)));
        Assert.Equal([1, 1], new[] { greeting.Eap!.Packet[0], greeting.Eap.Packet[4] });
        Assert.Null(greeting.SecurityAssociation);

        IkePayloads verdict = user.LogIn(Now, "alice@example", "alice's password", greeting.Eap);
        Assert.Equal(3, verdict.Eap!.Packet[5]);
        IkePayloads success = user.Auth(Now, TestUser.Eap(verdict.Eap.Packet[1], 26, [3]));
        Assert.Equal(3, success.Eap!.Packet[0]);
        Assert.Empty(_gateway.IkeSas);

        IkePayloads end = user.Auth(Now, user.OurAuth(user.Msk!));
        Assert.True(user.IsGatewayAuth(end.Authentication!, greeting.Responder!));
        Assert.Equal("alice@example", _gateway.Single<IkeSaEstablished>().RemoteId.ToString());
        Assert.Equal([10, 9, 0, 1], end.Configuration!.Attributes.Single(a => a.Type == ConfigurationAttributeType.InternalIp4Address).Value);
        Assert.Equal([192, 0, 2, 53], end.Configuration.Attributes.Single(a => a.Type == ConfigurationAttributeType.InternalIp4Dns).Value);
        Assert.Equal("10.9.0.1/32", Assert.Single(end.TrafficSelectorsInitiator!.Selectors).ToString());
        ChildSaInstalled child = _gateway.Single<ChildSaInstalled>();
        Assert.Equal("10.9.0.1/32", Assert.Single(child.RemoteSelectors).ToString());
        Assert.Equal("172.16.0.0/12", Assert.Single(child.LocalSelectors).ToString());
    }

    [Fact]
    public void Addresses_are_the_users_until_they_go()
    {
        LogIn(1, "alice@example", "alice's password");
        LogIn(2, "bob", "bob's password");
        // The pool has two; the third user has an IKE SA, and is told why there is no tunnel.
        IkePayloads third = LogIn(3, "bob", "bob's password");
        Assert.NotNull(third.Find(NotifyType.InternalAddressFailure));
        Assert.Null(third.SecurityAssociation);
        Assert.Equal(2, _gateway.Installed.Count);

        _gateway.Endpoint.Terminate("users", Now);
        while (_gateway.Endpoint.TryPollTransmit(out _))
        {
        }
        _gateway.TakeEvents();
        Assert.Empty(_gateway.Installed);
        Assert.NotNull(LogIn(4, "bob", "bob's password").SecurityAssociation);
        Assert.NotNull(LogIn(5, "bob", "bob's password").SecurityAssociation);
    }

    [Fact]
    public void Without_asking_for_an_address_there_is_no_tunnel()
    {
        IkePayloads end = LogIn(1, "bob", "bob's password", []);
        Assert.NotNull(end.Find(NotifyType.FailedCpRequired));
        Assert.Null(end.SecurityAssociation);
        Assert.NotNull(LogIn(2, "bob", "bob's password", [ConfigurationAttributeType.InternalIp4Dns]).Find(NotifyType.FailedCpRequired));
        // Of a family that the pool does not have.
        Assert.NotNull(LogIn(3, "bob", "bob's password", [ConfigurationAttributeType.InternalIp6Address]).Find(NotifyType.InternalAddressFailure));
    }

    [Theory]
    [InlineData("bob", "alice's password")]
    [InlineData("carol", "bob's password")]
    public void A_wrong_password_ends_it(string name, string password)
    {
        TestUser user = NewUser(1);
        IkePayloads verdict = user.LogIn(Now, name, password, user.Ask(Now, ConfigurationAttributeType.InternalIp4Address).Eap!);
        Assert.Equal(4, verdict.Eap!.Packet[5]);
        PeerRefused refused = _gateway.Single<PeerRefused>();
        Assert.Contains("password", refused.Reason, StringComparison.Ordinal);
        // Enough to count attempts by.
        Assert.Equal(("users", PeerRefusalCause.WrongPassword, name, "192.0.2.1"), (refused.Connection, refused.Cause, refused.RemoteId!.ToString(), refused.Remote.Address.ToString()));
        IkePayloads end = user.Auth(Now, TestUser.Eap(verdict.Eap.Packet[1], 26, [4]));
        Assert.Equal(4, end.Eap!.Packet[0]);
        Assert.NotNull(end.Find(NotifyType.AuthenticationFailed));
        AssertRefused();
    }

    [Fact]
    public void Who_has_tried_too_often_is_refused_in_the_same_way()
    {
        _eap.IsBlocked = true;
        TestUser user = NewUser(1);
        IkePayloads verdict = user.LogIn(Now, "bob", "bob's password", user.Ask(Now, ConfigurationAttributeType.InternalIp4Address).Eap!);
        Assert.Equal(4, verdict.Eap!.Packet[5]);
        Assert.Equal(PeerRefusalCause.TooManyAttempts, _gateway.Single<PeerRefused>().Cause);
        Assert.NotNull(user.Auth(Now, TestUser.Eap(verdict.Eap.Packet[1], 26, [4])).Find(NotifyType.AuthenticationFailed));
        AssertRefused();
    }

    /// <summary>Each of a user's devices knows of itself alone.</summary>
    [Fact]
    public void A_second_device_leaves_the_first_alone_whatever_it_says()
    {
        LogIn(1, "bob", "bob's password");
        LogIn(2, "bob", "bob's password", more: new NotifyPayload(NotifyType.InitialContact));
        Assert.Equal(2, _gateway.IkeSas.Count);
        ulong first = _gateway.Events.OfType<IkeSaEstablished>().First().IkeSa;
        _gateway.Endpoint.TerminateSa(first, Now);
        _gateway.Endpoint.TerminateSa(4711, Now);
        while (_gateway.Endpoint.TryPollTransmit(out _))
        {
        }
        _gateway.TakeEvents();
        Assert.NotEqual(first, Assert.Single(_gateway.IkeSas));
        Assert.Single(_gateway.Installed);
    }

    [Fact]
    public void A_user_is_granted_a_part_of_the_traffic_and_an_lcore()
    {
        using TestPeer gateway = new("gateway", 3, null, Connection(access: new Fixed()));
        using TestUser user = new(gateway, 1);
        user.Init(Now);
        IkePayloads greeting = user.Ask(Now, ConfigurationAttributeType.InternalIp4Address);
        IkePayloads verdict = user.LogIn(Now, "bob", "bob's password", greeting.Eap!);
        user.Auth(Now, TestUser.Eap(verdict.Eap!.Packet[1], 26, [3]));
        user.Auth(Now, user.OurAuth(user.Msk!));
        ChildSaInstalled child = gateway.Single<ChildSaInstalled>();
        Assert.Equal("10.9.0.77/32", Assert.Single(child.RemoteSelectors).ToString());
        Assert.Equal("172.16.4.0/24", Assert.Single(child.LocalSelectors).ToString());
        Assert.Equal(3u + 1, child.Id.InboundSpi >> 24);
        Assert.Null(child.Resource);
        // A second one for the same address would take the traffic of the first.
        IkePayloads second = user.Send(ExchangeType.CreateChildSa, Now,
            EspProposals.Offer([new EspSuite(EspCipher.Aes256Gcm16)], [1, 2, 3, 4], isAuthExchange: false),
            new NoncePayload(new byte[32]),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsInitiator, [TrafficSelector.AnyIPv4]),
            new TrafficSelectorsPayload(PayloadType.TrafficSelectorsResponder, [TrafficSelector.AnyIPv4]));
        Assert.NotNull(second.Find(NotifyType.NoAdditionalSas));
        Assert.Single(gateway.Installed);
    }

    [Fact]
    public void A_client_that_gives_up_is_answered_and_forgotten()
    {
        TestUser user = NewUser(1);
        user.Ask(Now, ConfigurationAttributeType.InternalIp4Address);
        IkePayloads answer = user.Inform(Now, new NotifyPayload(NotifyType.AuthenticationFailed));
        Assert.Empty(answer.Notifications);
        Assert.Empty(_gateway.Endpoint.Report());
    }

    [Fact]
    public void Who_has_the_password_but_not_the_key_stands_between()
    {
        TestUser user = NewUser(1);
        IkePayloads verdict = user.LogIn(Now, "bob", "bob's password", user.Ask(Now, ConfigurationAttributeType.InternalIp4Address).Eap!);
        user.Auth(Now, TestUser.Eap(verdict.Eap!.Packet[1], 26, [3]));
        using SecretBytes wrong = new(new byte[64]);
        Assert.NotNull(user.Auth(Now, user.OurAuth(wrong)).Find(NotifyType.AuthenticationFailed));
        AssertRefused();
    }

    [Fact]
    public void Nobody_skips_a_step()
    {
        // AUTH before EAP has succeeded; and EAP after it has, instead of AUTH.
        TestUser hasty = NewUser(1), slow = NewUser(2);
        hasty.Ask(Now, ConfigurationAttributeType.InternalIp4Address);
        using SecretBytes guess = new(new byte[64]);
        Assert.NotNull(hasty.Auth(Now, hasty.OurAuth(guess)).Find(NotifyType.AuthenticationFailed));
        IkePayloads verdict = slow.LogIn(Now, "bob", "bob's password", slow.Ask(Now, ConfigurationAttributeType.InternalIp4Address).Eap!);
        slow.Auth(Now, TestUser.Eap(verdict.Eap!.Packet[1], 26, [3]));
        Assert.NotNull(slow.Auth(Now, TestUser.Eap(verdict.Eap.Packet[1], 26, [3])).Find(NotifyType.AuthenticationFailed));
        Assert.Empty(_gateway.IkeSas);
        Assert.Empty(_gateway.Spis.Used);
    }

    [Fact]
    public void A_user_whom_the_connection_does_not_take_is_refused_in_the_end()
    {
        using TestPeer gateway = new("gateway", 2, null, Connection("*@example"));
        using TestUser user = new(gateway, 1);
        user.Init(Now);
        IkePayloads verdict = user.LogIn(Now, "bob", "bob's password", user.Ask(Now, ConfigurationAttributeType.InternalIp4Address).Eap!);
        user.Auth(Now, TestUser.Eap(verdict.Eap!.Packet[1], 26, [3]));
        Assert.NotNull(user.Auth(Now, user.OurAuth(user.Msk!)).Find(NotifyType.AuthenticationFailed));
        Assert.Empty(gateway.IkeSas);
    }

    [Fact]
    public void EAP_needs_a_certificate_of_ours_and_cannot_be_begun_from_here()
    {
        IkeConnection good = Connection();
        good.Validate();
        IkePresharedKey key = new("sixteen bytes at least"u8);
        IkeConnection weak = new()
        {
            Name = "weak",
            LocalId = good.LocalId,
            RemoteId = good.RemoteId,
            LocalAuthentication = key,
            RemoteAuthentication = good.RemoteAuthentication,
            Children = good.Children,
        };
        Assert.Contains("certificate", Assert.Throws<ArgumentException>(weak.Validate).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => _gateway.Endpoint.Initiate("users", Now));
    }

    private TestUser NewUser(int number)
    {
        TestUser user = new(_gateway, number);
        _users.Add(user);
        user.Init(Now);
        return user;
    }

    private IkePayloads LogIn(int number, string name, string password, ConfigurationAttributeType[]? attributes = null, NotifyPayload? more = null)
    {
        TestUser user = NewUser(number);
        IkePayloads greeting = user.Ask(Now, more, attributes ?? [ConfigurationAttributeType.InternalIp4Address]);
        IkePayloads verdict = user.LogIn(Now, name, password, greeting.Eap!);
        user.Auth(Now, TestUser.Eap(verdict.Eap!.Packet[1], 26, [3]));
        IkePayloads end = user.Auth(Now, user.OurAuth(user.Msk!));
        Assert.True(user.IsGatewayAuth(end.Authentication!, greeting.Responder!));
        return end;
    }

    private void AssertRefused()
    {
        Assert.Single(_gateway.Events.OfType<PeerRefused>());
        Assert.Empty(_gateway.IkeSas);
        Assert.Empty(_gateway.Installed);
        Assert.Empty(_gateway.Spis.Used);
    }

    private IkeConnection Connection(string remoteId = "%any", IIkeRemoteAccess? access = null) => new()
    {
        Name = "users",
        LocalId = IkeIdentity.Fqdn("gateway.example"),
        RemoteId = IkeIdentityPattern.Parse(remoteId),
        LocalAuthentication = new IkeCertificate(_pki.MakePeer()),
        RemoteAuthentication = new IkeEapMsChapV2(_eap),
        RemoteAccess = access ?? new IkeRemoteAccess
        {
            Addresses = new IkeAddressPool(IPNetwork.Parse("10.9.0.0/30"), null),
            NameServers = [IPAddress.Parse("192.0.2.53")],
        },
        Children = [new IkeChild { Name = "net", LocalSelectors = [TrafficSelector.Parse("172.16.0.0/12")], RemoteSelectors = [TrafficSelector.AnyIPv4] }],
    };

    private sealed class Fixed : IIkeRemoteAccess
    {
        public IkeUserGrant Admit(IkeUserRequest user) => new()
        {
            Addresses = [IPAddress.Parse("10.9.0.77")],
            LocalSelectors = [TrafficSelector.Parse("172.16.4.0/24"), TrafficSelector.Parse("192.0.2.0/24")],
            Resource = 3,
        };

        public void Release(IkeUserGrant grant)
        {
        }
    }

    private sealed class Users : IEapUsers
    {
        public bool IsBlocked { get; set; }

        public EapUserStatus Find(string userName, IPEndPoint remote, Span<byte> ntHash)
        {
            string? password = userName switch { "alice@example" => "alice's password", "bob" => "bob's password", _ => null };
            EapPassword.Hash(password, ntHash);
            return IsBlocked ? EapUserStatus.Blocked : password != null ? EapUserStatus.Known : EapUserStatus.Unknown;
        }
    }
}
