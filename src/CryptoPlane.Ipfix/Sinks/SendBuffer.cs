using CryptoPlane.Ipfix.Export;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>Messages that wait for a stream to take them, and which flow records are in those that it has not taken whole.</summary>
/// <param name="capacity">Bytes that may wait.</param>
internal sealed class SendBuffer(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private readonly Queue<(long End, int Length, FlowTotals Flows)> _messages = new();
    private int _head, _tail;
    private long _sent;

    /// <summary>Bytes for which there is room.</summary>
    public int Room => _bytes.Length - (_tail - _head);

    /// <summary>What waits, in order.</summary>
    public ReadOnlySpan<byte> Waiting => _bytes.AsSpan(_head, _tail - _head);

    /// <summary>Whether some bytes have gone since the last <see cref="Clear"/>.</summary>
    public bool HasSent => _sent != 0;

    /// <summary>Appends a message, for which there is room.</summary>
    public void Append(ReadOnlySpan<byte> message, in FlowTotals flows)
    {
        if (message.Length > _bytes.Length - _tail)
        {
            Waiting.CopyTo(_bytes);
            _tail -= _head;
            _head = 0;
        }
        message.CopyTo(_bytes.AsSpan(_tail));
        _tail += message.Length;
        _messages.Enqueue((_sent + (_tail - _head), message.Length, flows));
    }

    /// <summary>Takes note that the stream has taken some bytes.</summary>
    public void Advance(int count, SinkCounters counters)
    {
        _head += count;
        _sent += count;
        while (_messages.TryPeek(out (long End, int Length, FlowTotals Flows) message) && message.End <= _sent)
        {
            counters.Write(message.Flows, messages: 1, message.Length);
            _messages.Dequeue();
        }
        if (_head == _tail)
            _head = _tail = 0;
    }

    /// <summary>Throws away what waits, and counts the records as dropped.</summary>
    public void Clear(SinkCounters counters, long unix)
    {
        while (_messages.TryDequeue(out (long End, int Length, FlowTotals Flows) message))
            counters.Drop(message.Flows, unix);
        _head = _tail = 0;
        _sent = 0;
    }
}
