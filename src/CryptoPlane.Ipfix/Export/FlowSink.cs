using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Export;

/// <summary>
/// Where flow records go. No method may wait for anything: what cannot be written is dropped and counted, so that one sink does not hold
/// up the others.
/// </summary>
/// <remarks>The exporter's thread calls every method; <see cref="Statistics"/> and <see cref="State"/> may be read on any thread.</remarks>
public abstract class FlowSink : IDisposable
{
    /// <summary>Makes one.</summary>
    /// <param name="name">What it is called in reports.</param>
    protected FlowSink(string name) => Name = name;

    /// <summary>What it is called in reports.</summary>
    public string Name { get; }

    /// <summary>Its counters of now.</summary>
    public abstract FlowSinkStatistics Statistics { get; }

    /// <summary>How it is, in a word or two: <c>connected</c>, for example.</summary>
    public abstract string State { get; }

    /// <summary>Whose records it gets: what did not fit into them is told to collectors. The exporter sets it.</summary>
    public IReadOnlyList<FlowRecordRing> Rings { get; set; } = [];

    /// <summary>Called when something has changed that an operator wants to know; a sentence. It must not block.</summary>
    public Action<string>? Notice { get; set; }

    /// <summary>Writes a record, now or later, or drops it.</summary>
    public abstract void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now);

    /// <summary>Does what is due by the clock. Called some hundred times a second.</summary>
    public abstract void Tick(FlowTime now);

    /// <summary>Writes what waits, as far as that goes without waiting long, and ends: called last, once.</summary>
    public abstract void Close(FlowTime now);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets sockets, files and memory go.</summary>
    protected abstract void Dispose(bool disposing);
}
