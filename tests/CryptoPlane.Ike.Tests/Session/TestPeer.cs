using CryptoPlane.Ike.Tests.Authentication;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>An endpoint with what a data plane would have made of its events.</summary>
internal sealed class TestPeer : IDisposable
{
    private readonly Random _random;

    public TestPeer(string name, int seed, Func<IkeEndpointOptions, IkeEndpointOptions>? change, params IkeConnection[] connections)
    {
        Name = name;
        _random = new Random(seed);
        IkeEndpointOptions options = new() { ChildSpis = Spis, Connections = connections, Randomness = _random.NextBytes, TimeOfDay = new FixedTime() };
        Endpoint = new IkeEndpoint(change?.Invoke(options) ?? options);
    }

    public string Name { get; }

    public TestSpis Spis { get; } = new();

    public IkeEndpoint Endpoint { get; }

    /// <summary>Every event so far.</summary>
    public List<IkeEvent> Events { get; } = [];

    /// <summary>Child SAs that packets may come in on.</summary>
    public Dictionary<uint, ChildSaInstalled> Installed { get; } = [];

    /// <summary>The inbound SPIs of child SAs that are sent on, in the order of their activation.</summary>
    public List<uint> Active { get; } = [];

    /// <summary>IKE SAs that are established.</summary>
    public HashSet<ulong> IkeSas { get; } = [];

    public T Single<T>()
        where T : IkeEvent => Assert.Single(Events.OfType<T>());

    /// <summary>The child SA that packets of a child of the configuration go out on: the newest.</summary>
    public ChildSaInstalled? Outbound(string child = "net", int? resource = null)
    {
        uint spi = Active.LastOrDefault(spi => Installed[spi].Child == child && Installed[spi].Resource == resource);
        return spi == 0 ? null : Installed[spi];
    }

    public void TakeEvents()
    {
        while (Endpoint.TryPollEvent(out IkeEvent? e))
        {
            Events.Add(e);
            switch (e)
            {
                case ChildSaInstalled installed:
                    Installed.Add(installed.Id.InboundSpi, installed);
                    break;
                case ChildSaActivated activated:
                    Assert.Contains(activated.Child.InboundSpi, Installed);
                    Assert.DoesNotContain(activated.Child.InboundSpi, Active);
                    Active.Add(activated.Child.InboundSpi);
                    break;
                case ChildSaRemoved removed:
                    Assert.True(Installed.Remove(removed.Child.InboundSpi));
                    Active.Remove(removed.Child.InboundSpi);
                    break;
                case IkeSaEstablished established:
                    Assert.True(IkeSas.Add(established.IkeSa));
                    break;
                case IkeSaClosed closed:
                    Assert.True(IkeSas.Remove(closed.IkeSa));
                    break;
            }
        }
    }

    /// <summary>The day for which <see cref="TestPki"/> makes certificates.</summary>
    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => TestPki.Now;
    }

    public void Dispose()
    {
        Endpoint.Dispose();
        foreach (ChildSaInstalled installed in Events.OfType<ChildSaInstalled>())
            installed.Keys.Dispose();
    }

    /// <summary>Lets time pass that nobody else is part of.</summary>
    public void Advance(ref long now, long milliseconds)
    {
        now += milliseconds;
        if (Endpoint.NextTimeout <= now)
            Endpoint.HandleTimeout(now);
        TakeEvents();
    }

    /// <summary>Ends a connection's IKE SAs, and fails if anything is left of them.</summary>
    public void AssertGivesEverythingBack(string connection, ref long now)
    {
        Endpoint.Terminate(connection, now);
        // Nobody answers the deletions, so each is tried to the end.
        while (Endpoint.NextTimeout != long.MaxValue)
            Advance(ref now, Math.Max(1, Endpoint.NextTimeout - now));
        Assert.Empty(Endpoint.Report());
        Assert.Empty(IkeSas);
        Assert.Empty(Installed);
        Assert.Empty(Spis.Used);
    }
}
