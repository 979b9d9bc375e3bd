using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A peer that says what a test tells it to, under the right keys: for everything that a well-behaved peer never sends.</summary>
internal abstract class ScriptedPeer : IDisposable
{
    // Kept: fuzzers make thousands of peers.
    [ThreadStatic]
    private static byte[]? t_taken;

    private readonly OutgoingBuffer _outgoing = new();
    private readonly HandshakeJoiner _joiner = new();
    private byte[] _input = [];

    protected ScriptedPeer(TlsOptions options)
    {
        Context = new HandshakeContext(options, Records, _outgoing, _joiner);
        Context.Enter(new Scripted());
    }

    public RecordProtection Records { get; } = new();

    public HandshakeContext Context { get; }

    /// <summary>The other side's handshake messages, whole.</summary>
    public List<byte[]> Received { get; } = [];

    /// <summary>The other side's last alert.</summary>
    public TlsAlert? ReceivedAlert { get; private set; }

    /// <summary>How many change_cipher_spec records came.</summary>
    public int ChangeCipherSpecs { get; private set; }

    public static byte[] Build(Action<WireWriter> write)
    {
        var writer = new WireWriter();
        write(writer);
        return writer.Written.ToArray();
    }

    /// <summary>A handshake message with any type and body.</summary>
    public static byte[] Build(HandshakeType type, params ReadOnlySpan<byte> body) =>
        [(byte)type, (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];

    /// <summary>Takes what the other side sent.</summary>
    public void Feed(byte[] bytes)
    {
        _input = [.. _input, .. bytes];
        while (TlsRecordHeader.TryParse(_input, isProtected: false, out TlsRecordHeader header) == TlsRecordHeaderStatus.Complete)
        {
            byte[] record = _input[..header.RecordLength];
            _input = _input[header.RecordLength..];
            TlsContentType type = header.Type;
            ReadOnlySpan<byte> content = record.AsSpan(TlsRecordSizes.Header);
            if (type == TlsContentType.ApplicationData)
            {
                TlsOpenedRecord opened = Records.Open(record, forgiveForgery: false, out content);
                if (opened.Status is TlsOpenStatus.PeerAlert or TlsOpenStatus.CloseNotify)
                {
                    ReceivedAlert = opened.Alert;
                    continue;
                }
                if (opened.Status == TlsOpenStatus.Handled)
                    continue;
                Assert.Equal(TlsOpenStatus.Opened, opened.Status);
                type = opened.ContentType;
            }
            switch (type)
            {
                case TlsContentType.ChangeCipherSpec:
                    ChangeCipherSpecs++;
                    break;
                case TlsContentType.Alert:
                    ReceivedAlert = (TlsAlert)content[1];
                    break;
                default:
                    _joiner.Append(content);
                    break;
            }
            while (_joiner.TryTake(out HandshakeMessage message, out _))
                Received.Add(message.Whole.ToArray());
        }
    }

    /// <summary>Sends a handshake message in records of at most so many bytes.</summary>
    public void Send(byte[] message, int fragment = TlsRecordSizes.MaxContent)
    {
        Context.Transcript.Append(message);
        foreach (byte[] part in message.Chunk(fragment))
            SendRecord(TlsContentType.Handshake, part);
    }

    /// <summary>Sends several messages in one record.</summary>
    public void SendTogether(params byte[][] messages)
    {
        foreach (byte[] message in messages)
            Context.Transcript.Append(message);
        SendRecord(TlsContentType.Handshake, [.. messages.SelectMany(message => message)]);
    }

    /// <summary>Sends a record under the present keys.</summary>
    public void SendRecord(TlsContentType type, ReadOnlySpan<byte> content) => Records.Seal(type, content, _outgoing);

    /// <summary>Sends bytes as they are.</summary>
    public void SendRaw(params ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_outgoing.Reserve(bytes.Length));
        _outgoing.Commit(bytes.Length);
    }

    /// <summary>Gives out what was sent.</summary>
    public byte[] Take()
    {
        byte[] bytes = t_taken ??= new byte[1 << 20];
        return bytes[.._outgoing.MoveTo(bytes)];
    }

    public virtual void Dispose()
    {
        Context.Dispose();
        Records.Dispose();
        _outgoing.Release();
        _joiner.Release();
    }

    /// <summary>Feeds a real connection and does its public-key work, until it wants more.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="input">What it receives.</param>
    /// <param name="output">What it sends.</param>
    /// <param name="onEarlyData">Takes early data; without it the drive ends there.</param>
    public static TlsStatus Drive(TlsConnection connection, byte[] input, out byte[] output, Action? onEarlyData = null)
    {
        var sent = new List<byte>();
        byte[] destination = new byte[70_000];
        int offset = 0;
        while (true)
        {
            TlsStatus status = connection.Handshake(input.AsSpan(offset), destination, out int consumed, out int written);
            offset += consumed;
            sent.AddRange(destination.AsSpan(0, written));
            if (connection.PendingWork is { IsDone: false } work)
            {
                work.Execute();
                continue;
            }
            if (status == TlsStatus.EarlyData && onEarlyData is not null)
            {
                onEarlyData();
                continue;
            }
            if (status != TlsStatus.DestinationTooSmall)
            {
                output = [.. sent];
                return status;
            }
        }
    }

    private sealed class Scripted : HandshakeState;
}
