using System.Net;
using VpnBroker.Authentication;
using VpnBroker.Configuration;

namespace VpnBroker.Listening;

/// <summary>Bounds connections that have not become a tunnel: in all, and of one address (an IPv6 /64 counts as one).</summary>
internal sealed class HalfOpenLimiter
{
    private readonly Dictionary<UInt128, int> _byAddress = [];
    private readonly Lock _gate = new();
    private int _total;

    /// <summary>Connections that were refused so far.</summary>
    public long Refused { get; private set; }

    /// <summary>Connections that are half open now.</summary>
    public int Current
    {
        get
        {
            lock (_gate)
                return _total;
        }
    }

    /// <summary>Counts a new connection, if there is room for it.</summary>
    public bool TryEnter(IPAddress address, LimitsConfig limits)
    {
        UInt128 key = AttemptLimiter.KeyOf(address);
        lock (_gate)
        {
            int mine = _byAddress.GetValueOrDefault(key);
            if (_total >= limits.HalfOpen || mine >= limits.HalfOpenPerAddress)
            {
                Refused++;
                return false;
            }
            _total++;
            _byAddress[key] = mine + 1;
            return true;
        }
    }

    /// <summary>Takes a connection that was counted out again.</summary>
    public void Leave(IPAddress address)
    {
        UInt128 key = AttemptLimiter.KeyOf(address);
        lock (_gate)
        {
            _total--;
            if (--_byAddress[key] == 0)
                _byAddress.Remove(key);
        }
    }
}
