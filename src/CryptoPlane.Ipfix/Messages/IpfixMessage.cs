using System.Buffers.Binary;

namespace CryptoPlane.Ipfix.Messages;

/// <summary>
/// One IPFIX message while it is put together (RFC 7011 §3): records are appended to sets as long as there is room, then it is finished.
/// </summary>
/// <remarks>One thread. It allocates when it is made and never again.</remarks>
internal sealed class IpfixMessage
{
    /// <summary>Bytes of the longest record of this assembly, a tunnel's names: texts are cut to <see cref="Names.FlowName.MaximumOctets"/>.</summary>
    public const int MaximumRecord = 528;

    /// <summary>The least size of a message: every record finds room in it, and it finds room in a datagram that every IPv4 host takes (576).</summary>
    public const int MinimumSize = HeaderLength + SetHeaderLength + MaximumRecord;

    /// <summary>RFC 7011 §3.1: lengths are 16 bits.</summary>
    public const int MaximumSize = 65535;

    private const int HeaderLength = 16, SetHeaderLength = 4;
    private const ushort Version = 10;

    private readonly byte[] _bytes;
    private int _length = HeaderLength;
    private int _set;
    private int _setId;

    /// <summary>Makes an empty one.</summary>
    /// <param name="size">Bytes that it may have, <see cref="MinimumSize"/> to <see cref="MaximumSize"/>.</param>
    public IpfixMessage(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, MinimumSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaximumSize);
        _bytes = new byte[size];
    }

    /// <summary>Data records in it, those of options templates included.</summary>
    public int DataRecords { get; private set; }

    /// <summary>Whether there is nothing in it.</summary>
    public bool IsEmpty => _length == HeaderLength;

    /// <summary>Appends a record to the set that is open, or to a new one.</summary>
    /// <param name="setId">The set: a template's number, or one of those for templates.</param>
    /// <param name="record">The record.</param>
    /// <returns>False, with nothing changed, when there is no room.</returns>
    public bool TryAdd(ushort setId, ReadOnlySpan<byte> record)
    {
        bool opens = setId != _setId;
        if (_length + record.Length + (opens ? SetHeaderLength : 0) > _bytes.Length)
            return false;
        if (opens)
        {
            CloseSet();
            _set = _length;
            _setId = setId;
            _length += SetHeaderLength;
        }
        record.CopyTo(_bytes.AsSpan(_length));
        _length += record.Length;
        if (setId >= 256)
            DataRecords++;
        return true;
    }

    /// <summary>Completes the message.</summary>
    /// <param name="exportTime">Seconds since 1970 (UTC); 32 bits of them (RFC 7011 §3.1).</param>
    /// <param name="sequence">Data records in this domain and transport session before this message, modulo 2^32.</param>
    /// <param name="domain">The observation domain.</param>
    /// <returns>Its bytes, valid until <see cref="Clear"/>.</returns>
    public ReadOnlySpan<byte> Finish(uint exportTime, uint sequence, uint domain)
    {
        CloseSet();
        var header = new RecordBuffer(_bytes);
        header.Add16(Version);
        header.Add16((ushort)_length);
        header.Add32(exportTime);
        header.Add32(sequence);
        header.Add32(domain);
        return _bytes.AsSpan(0, _length);
    }

    /// <summary>Empties it for the next one.</summary>
    public void Clear()
    {
        _length = HeaderLength;
        _setId = 0;
        DataRecords = 0;
    }

    private void CloseSet()
    {
        if (_setId == 0)
            return;
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(_set), (ushort)_setId);
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(_set + 2), (ushort)(_length - _set));
        _setId = 0;
    }
}
