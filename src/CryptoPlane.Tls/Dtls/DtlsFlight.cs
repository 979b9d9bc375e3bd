using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Messages that are sent together, and sent again together with new record numbers (RFC 6347 §4.2.4): packed into datagrams, and cut into
/// fragments where they are longer than one. Plaintext only.
/// </summary>
internal sealed class DtlsFlight
{
    private readonly List<byte[]> _messages = [];

    /// <summary>Adds a message.</summary>
    /// <param name="message">With its header, whole.</param>
    public void Add(byte[] message) => _messages.Add(message);

    /// <summary>Makes datagrams of the messages.</summary>
    /// <param name="maxDatagram">Bytes of the longest.</param>
    /// <param name="recordSequence">The next record's number in epoch 0; counted on.</param>
    /// <param name="datagrams">Takes them.</param>
    public void Send(int maxDatagram, ref ulong recordSequence, Queue<byte[]> datagrams)
    {
        byte[] datagram = new byte[maxDatagram];
        int used = 0;
        foreach (byte[] message in _messages)
        {
            int bodyLength = message.Length - DtlsHandshakeHeader.Size;
            int offset = 0;
            do
            {
                const int headers = DtlsRecordSizes.Header + DtlsHandshakeHeader.Size;
                int room = maxDatagram - used - headers;
                // A few bytes of a message are not worth their headers: they go into the next datagram.
                if (used != 0 && room < Math.Min(bodyLength - offset, DtlsHandshakeHeader.Size))
                {
                    datagrams.Enqueue(datagram[..used]);
                    used = 0;
                    continue;
                }
                int part = Math.Min(bodyLength - offset, room);
                Span<byte> record = datagram.AsSpan(used);
                new DtlsRecordHeader(TlsContentType.Handshake, 0, recordSequence++, DtlsHandshakeHeader.Size + part).Write(record);
                new DtlsHandshakeHeader((HandshakeType)message[0], bodyLength, (ushort)((message[4] << 8) | message[5]), offset, part)
                    .Write(record[DtlsRecordSizes.Header..]);
                message.AsSpan(DtlsHandshakeHeader.Size + offset, part).CopyTo(record[headers..]);
                used += headers + part;
                offset += part;
                if (offset == bodyLength)
                    break;
            }
            while (true);
        }
        datagrams.Enqueue(datagram[..used]);
    }
}
