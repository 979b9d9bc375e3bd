using System.Net;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>
/// IKE with libreswan's pluto, from either side, over UDP between two namespaces: everything that is said. Packets are not part of it, since
/// pluto leaves ESP to the kernel.
/// </summary>
public sealed class LibreswanTests : IDisposable
{
    private const string Key = "a key for pluto and us";
    private static readonly IPAddress s_ours = IPAddress.Parse("10.98.0.1"), s_theirs = IPAddress.Parse("10.98.0.2");

    private static readonly string[] s_settings =
    [
        "leftsubnet=10.55.0.0/24", "rightsubnet=10.77.0.0/16", "ike=aes_gcm256-sha2_384-dh31", "esp=aes_gcm256", "encapsulation=yes",
    ];

    private readonly NetworkNamespace _place = new("ike"), _theirPlace = new("pluto");
    private Pluto? _pluto;
    private UdpPeer? _peer;

    public LibreswanTests() => _place.Connect(_theirPlace, "ike0", $"{s_ours}/24", "ike0", $"{s_theirs}/24");

    public void Dispose()
    {
        _peer?.Dispose();
        _pluto?.Dispose();
        _place.Dispose();
        _theirPlace.Dispose();
    }

    [Fact]
    public void Pluto_answers_us_and_follows_our_rekeys_and_our_deletion()
    {
        _pluto = new Pluto(_theirPlace, s_theirs, s_ours, Key, [.. s_settings, "pfs=no"]);
        UdpPeer peer = Start(Key, new EspSuite(EspCipher.Aes256Gcm16));
        peer.Call((endpoint, now) => endpoint.Initiate("c", now));
        ChildSaInstalled first = Await<ChildSaInstalled>(1);
        Assert.Equal(("lib", new EspSuite(EspCipher.Aes256Gcm16)), (first.RemoteId.ToString(), first.Keys.Suite));
        Assert.True(first.UdpEncapsulation);
        _pluto.Await("responder established Child SA", 1);
        Assert.Contains($"=>0x{first.Id.InboundSpi:x8} <0x{first.OutboundSpi:x8}", _pluto.Log, StringComparison.Ordinal);

        peer.Call((endpoint, now) => endpoint.Rekey("c", ikeSa: false, now));
        ChildSaInstalled second = Await<ChildSaInstalled>(2);
        Assert.Equal(first.Id, second.Replaces);
        Await<ChildSaRemoved>(1);
        _pluto.Await($"=>0x{second.Id.InboundSpi:x8} <0x{second.OutboundSpi:x8}", 1);

        peer.Call((endpoint, now) => endpoint.Rekey("c", ikeSa: true, now));
        IkeSaEstablished renewed = Await<IkeSaEstablished>(2);
        Assert.NotNull(renewed.Replaces);
        _pluto.Await("responder rekeyed IKE SA", 1);
        Await<IkeSaClosed>(1);

        // The new IKE SA has inherited the child SA: it can be replaced under it.
        peer.Call((endpoint, now) => endpoint.Rekey("c", ikeSa: false, now));
        Await<ChildSaInstalled>(3);
        peer.Call((endpoint, now) => endpoint.Terminate("c", now));
        Assert.Equal(IkeCloseReason.Terminated, Await<IkeSaClosed>(2).Reason);
        _pluto.Await("deleting state (STATE_V2_ESTABLISHED_IKE_SA)", 2);
        Eventually.True(() => peer.Call((endpoint, _) => endpoint.Report().Count) == 0, "our deletion was not answered");
    }

    [Fact]
    public void We_answer_pluto_and_follow_its_rekeys_and_its_deletion()
    {
        // With forward secrecy: every child SA after the first has a key exchange of its own.
        _pluto = new Pluto(_theirPlace, s_theirs, s_ours, Key, [.. s_settings, "pfs=yes"]);
        EspSuite suite = new(EspCipher.Aes256Gcm16, KeyExchange: KeyExchangeMethod.X25519);
        Start(Key, suite);
        _pluto.Whack("--initiate --name c --asynchronous");
        ChildSaInstalled first = Await<ChildSaInstalled>(1);
        Assert.False(first.IsInitiator);
        _pluto.Await($"=>0x{first.Id.InboundSpi:x8} <0x{first.OutboundSpi:x8}", 1);

        _pluto.Whack("--rekey-ipsec --name c --asynchronous");
        ChildSaInstalled second = Await<ChildSaInstalled>(2);
        Assert.Equal((first.Id, suite), (second.Replaces, second.Keys.Suite));
        Await<ChildSaRemoved>(1);

        _pluto.Whack("--rekey-ike --name c --asynchronous");
        Assert.NotNull(Await<IkeSaEstablished>(2).Replaces);
        Await<IkeSaClosed>(1);

        _pluto.Whack("--terminate --name c");
        Assert.Equal(IkeCloseReason.DeletedByPeer, Await<IkeSaClosed>(2).Reason);
        Assert.Single(_peer!.Events.OfType<ChildSaRemoved>(), removed => removed.Child == second.Id);
    }

    [Fact]
    public void Another_key_is_refused_on_either_side()
    {
        _pluto = new Pluto(_theirPlace, s_theirs, s_ours, Key, s_settings);
        UdpPeer peer = Start("another key than pluto has", new EspSuite(EspCipher.Aes256Gcm16));
        peer.Call((endpoint, now) => endpoint.Initiate("c", now));
        Assert.Contains("AuthenticationFailed", Await<InitiationFailed>(1).Reason, StringComparison.Ordinal);
        _pluto.Whack("--initiate --name c --asynchronous");
        Await<PeerRefused>(1);
        _pluto.Await("AUTHENTICATION_FAILED", 1);
        Assert.Empty(peer.Events.OfType<ChildSaInstalled>());
    }

    private UdpPeer Start(string key, EspSuite suite)
    {
        IkeConnection connection = new()
        {
            Name = "c",
            LocalAddress = s_ours,
            RemoteAddress = new IPNetwork(s_theirs, 32),
            LocalId = IkeIdentity.Fqdn("srv"),
            RemoteId = IkeIdentityPattern.Parse("lib"),
            LocalAuthentication = new IkePresharedKey(Encoding.ASCII.GetBytes(key)),
            RemoteAuthentication = new IkePresharedKey(Encoding.ASCII.GetBytes(key)),
            Proposals = [new IkeSuite(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519)],
            ForceEncapsulation = true,
            Children =
            [
                new IkeChild
                {
                    Name = "net",
                    LocalSelectors = [TrafficSelector.Parse("10.77.0.0/16")],
                    RemoteSelectors = [TrafficSelector.Parse("10.55.0.0/24")],
                    Proposals = [suite],
                },
            ],
        };
        IkeEndpointOptions options = new() { ChildSpis = new TestSpis(), Connections = [connection], Randomness = RandomNumberGenerator.Fill };
        return _peer = new UdpPeer(_place, s_ours, new IkeEndpoint(options));
    }

    private T Await<T>(int count)
        where T : IkeEvent => _peer!.Await<T>(count, () => _pluto!.Log);
}
