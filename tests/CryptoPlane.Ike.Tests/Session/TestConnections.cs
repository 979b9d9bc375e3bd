using System.Net;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Connections between the initiator 192.0.2.1 and the responder 198.51.100.1.</summary>
internal static class TestConnections
{
    public static readonly IPAddress InitiatorAddress = IPAddress.Parse("192.0.2.1"), ResponderAddress = IPAddress.Parse("198.51.100.1");

    /// <summary>X25519 and then ML-KEM-768, with forward secrecy for child SAs the same way; and the same without what follows.</summary>
    public static readonly IkeSuite Plain = new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519),
        Hybrid = Plain with { Additional = new(KeyExchangeMethod.MlKem768) };

    public static readonly EspSuite PlainChild = new(EspCipher.Aes256Gcm16, KeyExchange: KeyExchangeMethod.X25519),
        HybridChild = PlainChild with { Additional = new(KeyExchangeMethod.MlKem768) };

    /// <summary>Further key exchanges everywhere.</summary>
    public static readonly Settings Hybrids = new() { Proposals = [Hybrid], EspProposals = [HybridChild] };

    /// <summary>
    /// Who wants further key exchanges: nobody ("none"), "both", or "one": the initiator rather than not, the responder rather not, so that rekeys of both
    /// kinds meet.
    /// </summary>
    public static (Settings Initiator, Settings Responder) Further(string who) => who switch
    {
        "none" => (new Settings(), new Settings()),
        "both" => (Hybrids, Hybrids),
        _ => (new Settings { Proposals = [Hybrid, Plain], EspProposals = [HybridChild, PlainChild] },
            new Settings { Proposals = [Plain, Hybrid], EspProposals = [PlainChild, HybridChild] }),
    };

    /// <summary>The initiator's view. The key is never disposed of: it is the tests' own, and no secret.</summary>
    public static IkeConnection Initiator(Settings? settings = null) => Make(settings ?? new(), true);

    /// <summary>The responder's view.</summary>
    public static IkeConnection Responder(Settings? settings = null) => Make(settings ?? new(), false);

    public static TestNetwork Network(
        Settings? settings = null, Settings? responder = null, Func<IkeEndpointOptions, IkeEndpointOptions>? options = null, int seed = 1) =>
        new(new TestPeer("initiator", seed, options, Initiator(settings)), new TestPeer("responder", seed + 1000, options, Responder(responder ?? settings)));

    private static IkeConnection Make(Settings s, bool initiator)
    {
        // A further child has other networks.
        TrafficSelector Net(bool ofInitiator, int child) => TrafficSelector.Parse(
            child == 0 ? ofInitiator ? s.InitiatorNet : s.ResponderNet : $"10.{(ofInitiator ? 100 : 200) + child}.0.0/16");
        return new IkeConnection
        {
            Name = "c",
            LocalAddress = initiator ? InitiatorAddress : ResponderAddress,
            RemoteAddress = initiator ? new IPNetwork(ResponderAddress, 32) : null,
            LocalId = IkeIdentity.Parse(initiator ? s.InitiatorId : s.ResponderId),
            RemoteId = IkeIdentityPattern.Parse(s.RemoteId ?? (initiator ? s.ResponderId : s.InitiatorId)),
            LocalAuthentication = s.LocalAuthentication ?? new IkePresharedKey(s.Key),
            RemoteAuthentication = s.RemoteAuthentication ?? new IkePresharedKey(s.Key),
            Proposals = s.Proposals ?? IkeSuite.Defaults,
            Lifetime = s.IkeLifetime ?? IkeLifetime.IkeSaDefault,
            DeadPeerDelay = s.DeadPeerDelay,
            DeadPeerTimeout = s.DeadPeerTimeout,
            ForceEncapsulation = s.ForceEncapsulation,
            FragmentSize = s.FragmentSize,
            StartAction = initiator ? s.Start : IkeStartAction.None,
            Resources = s.Resources,
            Mobike = s.Mobike,
            Children =
            [
                .. s.Children.Select((name, index) => new IkeChild
                {
                    Name = name,
                    LocalSelectors = [Net(initiator, index)],
                    RemoteSelectors = [Net(!initiator, index)],
                    Proposals = s.EspProposals ?? EspSuite.Defaults,
                    Lifetime = s.ChildLifetime ?? IkeLifetime.ChildSaDefault,
                    Mode = s.Mode,
                    ResourceSelectors = s.ResourceSelectors,
                }),
            ],
        };
    }

    /// <summary>What a test changes.</summary>
    internal sealed record Settings
    {
        public string InitiatorId { get; init; } = "initiator.example";

        public string ResponderId { get; init; } = "responder.example";

        public string? RemoteId { get; init; }

        public string InitiatorNet { get; init; } = "10.1.0.0/16";

        public string ResponderNet { get; init; } = "10.2.0.0/16";

        public byte[] Key { get; init; } = [.. "a key that only the tests know"u8];

        public IkeAuthentication? LocalAuthentication { get; init; }

        public IkeAuthentication? RemoteAuthentication { get; init; }

        public IReadOnlyList<IkeSuite>? Proposals { get; init; }

        public IReadOnlyList<EspSuite>? EspProposals { get; init; }

        public IkeLifetime? IkeLifetime { get; init; }

        public IkeLifetime? ChildLifetime { get; init; }

        public long DeadPeerDelay { get; init; }

        public long DeadPeerTimeout { get; init; }

        public bool ForceEncapsulation { get; init; }

        public int FragmentSize { get; init; } = 1280;

        public IkeStartAction Start { get; init; }

        public int Resources { get; init; }

        public bool Mobike { get; init; } = true;

        public IkeChildMode Mode { get; init; }

        public IReadOnlyList<string> Children { get; init; } = ["net"];

        public IReadOnlyList<IReadOnlyList<TrafficSelector>> ResourceSelectors { get; init; } = [];
    }
}
