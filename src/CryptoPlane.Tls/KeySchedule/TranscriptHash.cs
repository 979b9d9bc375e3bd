using System.Buffers;
using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>
/// The running hash of the handshake messages (RFC 8446 §4.4.1), each with its four-byte header and without record headers.
/// </summary>
/// <remarks>
/// A client knows the hash only with the server's answer, so messages before <see cref="Select"/> are kept; there is one of them, the
/// ClientHello. The caller bounds the length of messages. Owned by one thread at a time.
/// </remarks>
internal sealed class TranscriptHash : IDisposable
{
    private const byte MessageHashType = 254;

    private ArrayBufferWriter<byte>? _pending = new();
    private IncrementalHash? _running;
    private TlsHash _hash;

    // From a HelloRetryRequest to the first snapshot behind it: what was hashed, since a running hash cannot be copied.
    private ArrayBufferWriter<byte>? _retry;

    // What was hashed since the beginning, where it is kept.
    private ArrayBufferWriter<byte>? _kept;

    /// <summary>The hash, once it is selected.</summary>
    public TlsHash? Hash => _running == null ? null : _hash;

    /// <summary>Appends whole handshake messages.</summary>
    public void Append(ReadOnlySpan<byte> messages)
    {
        _retry?.Write(messages);
        _kept?.Write(messages);
        if (_running != null)
            _running.AppendData(messages);
        else
            (_pending ?? throw new ObjectDisposedException(nameof(TranscriptHash))).Write(messages);
    }

    /// <summary>Chooses the hash, which the cipher suite says, and hashes what was appended so far.</summary>
    /// <exception cref="InvalidOperationException">Another hash was chosen before.</exception>
    public void Select(TlsHash hash)
    {
        if (_running != null)
        {
            if (_hash != hash)
                throw new InvalidOperationException("The transcript has its hash: a HelloRetryRequest and the ServerHello behind it name the same suite.");
            return;
        }
        ReadOnlySpan<byte> pending = (_pending ?? throw new ObjectDisposedException(nameof(TranscriptHash))).WrittenSpan;
        _hash = hash;
        _running = IncrementalHash.CreateHash(hash.Name());
        _running.AppendData(pending);
        _pending = null;
    }

    /// <summary>The hash of everything so far; the transcript goes on.</summary>
    /// <param name="digest">At least a digest's length of bytes.</param>
    /// <returns>The part of <paramref name="digest"/> that was written.</returns>
    public ReadOnlySpan<byte> Snapshot(Span<byte> digest)
    {
        _retry = null;
        return digest[..Selected().GetCurrentHash(digest)];
    }

    /// <summary>
    /// The hash of what is before a ClientHello (a first one's message_hash and the HelloRetryRequest, or nothing) and of the ClientHello's
    /// beginning, which does not become a part of the transcript: what binders are over (§4.2.11.2).
    /// </summary>
    /// <param name="hash">The hash; the one that was selected, if one was.</param>
    /// <param name="truncatedHello">The ClientHello up to its list of binders.</param>
    /// <param name="digest">At least a digest's length of bytes.</param>
    /// <returns>The part of <paramref name="digest"/> that was written.</returns>
    public ReadOnlySpan<byte> SnapshotForBinder(TlsHash hash, ReadOnlySpan<byte> truncatedHello, Span<byte> digest)
    {
        using var whole = IncrementalHash.CreateHash(hash.Name());
        if (_retry != null)
            whole.AppendData(_retry.WrittenSpan);
        whole.AppendData(truncatedHello);
        return digest[..whole.GetHashAndReset(digest)];
    }

    /// <summary>
    /// RFC 8446 §4.4.1: with a HelloRetryRequest, ClientHello1 in the transcript is replaced by a synthetic message that holds its hash.
    /// Call it when ClientHello1 is in the transcript, before the HelloRetryRequest is.
    /// </summary>
    public void ReplaceWithMessageHash()
    {
        IncrementalHash running = Selected();
        // message_hash || 00 00 Hash.length || Hash(ClientHello1)
        Span<byte> synthetic = stackalloc byte[4 + TlsHashes.MaxLength];
        synthetic.Clear();
        synthetic[0] = MessageHashType;
        synthetic[3] = (byte)_hash.Length();
        running.GetHashAndReset(synthetic[4..]);
        running.AppendData(synthetic[..(4 + _hash.Length())]);
        _retry = new ArrayBufferWriter<byte>();
        _retry.Write(synthetic[..(4 + _hash.Length())]);
        if (_kept == null)
            return;
        _kept.Clear();
        _kept.Write(synthetic[..(4 + _hash.Length())]);
    }

    /// <summary>Keeps every message from the first on, for <see cref="TakeMessages"/>: call it before there is one.</summary>
    public void KeepMessages() => _kept = new ArrayBufferWriter<byte>();

    /// <summary>Hands what was kept over; null if nothing was.</summary>
    public byte[]? TakeMessages()
    {
        byte[]? messages = _kept?.WrittenSpan.ToArray();
        _kept = null;
        return messages;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _running?.Dispose();
        _pending = null;
    }

    private IncrementalHash Selected() => _running ?? throw new InvalidOperationException("Select the hash first: it follows from the cipher suite.");
}
