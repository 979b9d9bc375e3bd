using System.Net;
using CryptoPlane.Lcores;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>Takes a datagram of IKE, with the non-ESP marker before it.</summary>
public delegate void StrayIkeReceiver(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> datagram);

/// <summary>
/// IKE's datagrams that came to an lcore all the same: where a network device puts the datagrams of one flow together (GRO), the first of them
/// decides for all, and a message of IKE may come behind ESP. IKE's thread.
/// </summary>
public interface IStrayIke
{
    /// <summary>Ends IKE's sleep when there is one.</summary>
    LcoreWaker Waker { get; }

    /// <summary>Whether there is none.</summary>
    bool IsEmpty { get; }

    /// <summary>Takes what has come.</summary>
    void Take(StrayIkeReceiver receiver);
}
