using System.Net;

namespace VpnBroker.DataPlane.Routing;

/// <summary>ESP tunnels that share prefixes, with the parts of new flows that each gets. Supervisor's thread.</summary>
internal sealed unsafe class PeerTable
{
    private readonly NegotiatedTunnel[] _tunnels;
    /// <summary>Slots by which a part must differ from what loads demand before slots move: half a percent.</summary>
    private const int Tolerance = 5;

    private readonly byte[] _slots = new byte[PeerGroup.Slots];
    private readonly PeerBalance _balance;

    /// <summary>Makes the table.</summary>
    /// <param name="tunnels">The tunnels: at least two, of one priority.</param>
    /// <param name="before">Who shared the prefix before, whose parts stay where they are as far as may be; null for nobody.</param>
    public PeerTable(IReadOnlyList<NegotiatedTunnel> tunnels, PeerTable? before)
    {
        _tunnels = [.. tunnels];
        _balance = new PeerBalance(_tunnels.Length);
        Array.Fill(_slots, PeerSlots.Nobody);
        if (before == null)
            return;
        // A peer is known by its group: its pairs for all lcores and those of each lcore are tunnels of their own.
        int[] now = [.. before._tunnels.Select(tunnel => Array.FindIndex(_tunnels, other => other.Group == tunnel.Group))];
        for (int i = 0; i < _slots.Length; i++)
            _slots[i] = now[before._slots[i]] is >= 0 and int member ? (byte)member : PeerSlots.Nobody;
        for (int i = 0; i < now.Length; i++)
        {
            if (now[i] >= 0)
                _balance.Take(now[i], before._balance, i);
        }
    }

    /// <summary>The tunnels.</summary>
    public IReadOnlyList<NegotiatedTunnel> Tunnels => _tunnels;

    /// <summary>The prefixes that they share.</summary>
    public List<IPNetwork> Prefixes { get; } = [];

    /// <summary>The part of new flows that a tunnel gets, 0 to 1.</summary>
    public double ShareOf(int member) => _slots.Count(slot => slot == member) / (double)_slots.Length;

    /// <summary>Divides new flows by the weights and loads as they are now.</summary>
    public void Renew() => PeerSlots.Move(_slots, Parts());

    /// <summary>Takes a measurement of what the tunnels carry, and divides new flows by it.</summary>
    /// <param name="seconds">The time since the last one.</param>
    /// <param name="loads">What each tunnel has carried in that time.</param>
    /// <returns>Whether slots have moved.</returns>
    public bool Measure(double seconds, ReadOnlySpan<PeerLoad> loads)
    {
        double[] weights = [.. _tunnels.Select(tunnel => (double)tunnel.Weight)];
        _balance.Measure(seconds, weights, loads);
        int[] parts = Parts();
        if (!parts.Index().Any(part => Math.Abs(part.Item - _slots.Count(slot => slot == part.Index)) > Tolerance))
            return false;
        PeerSlots.Move(_slots, parts);
        return true;
    }

    private int[] Parts()
    {
        double[] weights = [.. _tunnels.Index().Select(tunnel => tunnel.Item.Weight * _balance.FactorOf(tunnel.Index))];
        return PeerSlots.Divide(weights, _slots.Length);
    }

    /// <summary>Writes the table for an lcore.</summary>
    /// <param name="group">Where to.</param>
    /// <param name="otherOf">The number of the other tunnel of a tunnel's peer, or <see cref="PeerGroup.None"/>.</param>
    public void Describe(PeerGroup* group, Func<NegotiatedTunnel, int> otherOf) =>
        group->Set([.. _tunnels.Select(tunnel => tunnel.Number)], [.. _tunnels.Select(otherOf)], _slots);
}
