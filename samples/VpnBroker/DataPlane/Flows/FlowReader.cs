using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Flows;

/// <summary>
/// Copies sessions for a control thread, a part in each turn, into a ring: the lcore never waits for the reader, nor the reader's reading
/// for anything but the next turns.
/// </summary>
internal sealed unsafe class FlowReader(int lcore, FlowTable<SessionKey, SessionState> table) : IDisposable
{
    /// <summary>Entries that a turn looks at: some 10 µs.</summary>
    private const int EntriesPerTurn = 128;

    private const int Capacity = 1024;

    private FlowFilter _filter;
    private int _at;
    private int _reading;

    /// <summary>What was copied; the reader takes it out. Behind the last session of a reading comes one of no kind.</summary>
    public SpscRing<FlowView> Ring { get; } = new(Capacity);

    /// <summary>Whether the next turn would copy something.</summary>
    public bool HasPendingWork => _reading != 0 && Ring.Count < Capacity;

    /// <summary>Whether there is something left to be copied, if not now.</summary>
    public bool IsReading => _reading != 0;

    /// <summary>Begins a reading; one that is under way ends.</summary>
    /// <param name="filter">What is wanted; copied.</param>
    /// <param name="reading">The reading's number, other than 0.</param>
    public void Begin(FlowFilter* filter, int reading)
    {
        _filter = *filter;
        _reading = reading;
        _at = 0;
    }

    /// <summary>Goes on with the reading.</summary>
    public void Run(long now)
    {
        if (_reading == 0)
            return;
        for (int i = 0; i < EntriesPerTurn; i++)
        {
            bool isEnd = _at >= table.EndIndex;
            if (!isEnd && (!table.IsUsed(_at) || !_filter.Takes(table.Key(_at), *table.State(_at))))
            {
                _at++;
                continue;
            }
            var view = new FlowView { Now = now, Reading = _reading, Lcore = lcore };
            if (!isEnd)
                (view.Key, view.State) = (table.Key(_at), *table.State(_at));
            // Full: the next turns go on from here.
            if (!Ring.TryEnqueue(view))
                return;
            _at++;
            if (!isEnd)
                continue;
            _reading = 0;
            return;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Ring.Dispose();
}
