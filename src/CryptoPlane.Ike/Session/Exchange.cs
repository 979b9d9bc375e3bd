using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// An exchange that we begin: a request, and what its answer means. It waits in the IKE SA's queue until those before it are answered.
/// </summary>
internal abstract class Exchange
{
    /// <summary>The exchange type in the header.</summary>
    public abstract ExchangeType Type { get; }

    /// <summary>Its turn has come: makes the request.</summary>
    /// <param name="sa">The IKE SA, which may be another one than when the exchange was enqueued: a rekey hands the queue on.</param>
    /// <param name="request">Takes the payloads.</param>
    /// <param name="now">The time.</param>
    /// <returns>False where there is nothing to do any more.</returns>
    public abstract bool TryBegin(IkeSa sa, List<IIkePayload> request, long now);

    /// <summary>The answer is there; it is authentic and well-formed, but may say anything.</summary>
    public abstract void HandleResponse(IkeSa sa, IkePayloads response, long now);

    /// <summary>There will be no answer: the IKE SA is closing. Gives back what the exchange holds.</summary>
    public virtual void Abandon(IkeSa sa)
    {
    }
}
