using System.Collections;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Puts one handshake message together out of fragments that come in any order, twice or overlapping (RFC 6347 §4.2.3). Anybody can send
/// fragments in a client's name: a message that was spoiled so is thrown away by its reader, and put together anew of what is sent again.
/// </summary>
internal sealed class DtlsReassembler
{
    /// <summary>Longest body: a ClientKeyExchange with its PSK identity, or a Finished.</summary>
    public const int MaxBody = 2048;

    private byte[]? _body;
    private BitArray? _received;
    private HandshakeType _type;
    private int _length;
    private int _missing;

    /// <summary>Adds a fragment of the message that is awaited.</summary>
    /// <param name="header">The fragment's header.</param>
    /// <param name="fragment">Its bytes.</param>
    /// <param name="body">The whole body, once it is there; then this is empty again.</param>
    /// <returns>Whether the message is whole.</returns>
    public bool TryAdd(in DtlsHandshakeHeader header, ReadOnlySpan<byte> fragment, out byte[] body)
    {
        body = [];
        if (header.Length > MaxBody)
            return false;
        if (header.IsWhole)
        {
            body = fragment.ToArray();
            Clear();
            return true;
        }
        // A fragment of another message under the same number: one of the two is a lie, and the newer one gets its chance.
        if (_body == null || _type != header.Type || _length != header.Length)
        {
            _type = header.Type;
            _length = _missing = header.Length;
            _body = new byte[header.Length];
            _received = new BitArray(header.Length);
        }
        for (int i = 0; i < fragment.Length; i++)
        {
            int at = header.FragmentOffset + i;
            if (_received![at])
                continue;
            _received[at] = true;
            _body[at] = fragment[i];
            _missing--;
        }
        if (_missing != 0)
            return false;
        body = _body;
        Clear();
        return true;
    }

    /// <summary>Forgets what has come of the message.</summary>
    public void Clear()
    {
        _body = null;
        _received = null;
    }
}
