using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text.Json;
using CryptoPlane.Policy;

namespace VpnBroker.Audit;

/// <summary>What an audit record is about.</summary>
public enum AuditEvent
{
    /// <summary>A log-in, with its result.</summary>
    Login,

    /// <summary>A tunnel was opened with a session's cookie, or was refused.</summary>
    Connect,

    /// <summary>A session ended.</summary>
    End,
}

/// <summary>One audit record. It never has a password or a cookie.</summary>
/// <param name="Event">What happened.</param>
/// <param name="User">The user's name, as given; empty when none is known.</param>
/// <param name="Remote">Where the client is.</param>
/// <param name="Success">Whether it was granted.</param>
/// <param name="Reason">Why not, or why it ended; null when there is nothing to say.</param>
/// <param name="SessionId">The session; 0 for none.</param>
public readonly record struct AuditRecord(AuditEvent Event, string User, IPEndPoint Remote, bool Success, string? Reason, ulong SessionId)
{
    /// <summary>The session's inner addresses, when it has some.</summary>
    public Sessions.AddressLease? Lease { get; init; }
}

/// <summary>Who logged in, from where, and who did not: one JSON object per line, appended and flushed at once.</summary>
/// <remarks>The file is opened for each batch of records, so that logrotate may move it away at any time.</remarks>
public sealed class AuditLog(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private string? _path;

    /// <summary>Sets the file, also on a reload; null writes nothing.</summary>
    /// <exception cref="IOException">The file cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written to.</exception>
    public void Open(string? path)
    {
        if (path is not null)
            Append(path, []);
        lock (_gate)
            _path = path;
    }

    /// <summary>Writes a record.</summary>
    /// <returns>False when the file could not be written to: the caller says so in the log.</returns>
    public bool Write(in AuditRecord record) => Write(Format(record));

    /// <inheritdoc cref="Write(in AuditRecord)"/>
    public bool Write(in CaptureAudit record) => Write(Format(record));

    /// <inheritdoc cref="Write(in AuditRecord)"/>
    public bool Write(in IpsecAudit record) => Write(Format(record));

    /// <inheritdoc cref="Write(in AuditRecord)"/>
    public bool Write(in PolicyAudit record) => Write(Format(record));

    private bool Write(byte[] line)
    {
        lock (_gate)
        {
            if (_path is null)
                return true;
            try
            {
                Append(_path, line);
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    private byte[] Format(in AuditRecord record)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteTime(json);
            json.WriteString("event", record.Event switch { AuditEvent.Login => "login", AuditEvent.Connect => "connect", _ => "end" });
            // A name is what a stranger typed: the writer escapes it, and its length is bounded here.
            json.WriteString("user", record.User.Length <= 256 ? record.User : record.User[..256]);
            json.WriteString("address", record.Remote.Address.ToString());
            json.WriteNumber("port", record.Remote.Port);
            json.WriteString("result", record.Success ? "success" : "failure");
            if (record.Reason is { } reason)
                json.WriteString("reason", reason);
            if (record.SessionId != 0)
                json.WriteNumber("session", record.SessionId);
            if (record.Lease?.IPv4 is { } ipv4)
                json.WriteString("ipv4", ipv4.ToString());
            if (record.Lease?.IPv6 is { } ipv6)
                json.WriteString("ipv6", ipv6.ToString());
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private byte[] Format(in CaptureAudit record)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteTime(json);
            json.WriteString("event", "capture");
            json.WriteNumber("uid", record.UserId);
            json.WriteNumber("pid", record.ProcessId);
            json.WriteString("points", record.Points);
            if (record.Filter is { } filter)
                json.WriteString("filter", filter);
            json.WriteBoolean("decrypted", record.Decrypted);
            json.WriteString("result", record.Success ? "success" : "failure");
            if (record.Reason is { } reason)
                json.WriteString("reason", reason);
            if (record.Captured is { } captured)
                json.WriteNumber("packets", captured);
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private byte[] Format(in IpsecAudit record)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteTime(json);
            json.WriteString("event", record.Event);
            if (record.Peer is { } peer)
                json.WriteString("peer", peer);
            // An identity is what a stranger sent: the writer escapes it, and its length is bounded here.
            if (record.Identity is { } identity)
                json.WriteString("identity", identity.Length <= 256 ? identity : identity[..256]);
            if (record.Remote is { } remote)
            {
                json.WriteString("address", remote.Address.ToString());
                json.WriteNumber("port", remote.Port);
            }
            json.WriteString("result", record.Success ? "success" : "failure");
            if (record.Reason is { } reason)
                json.WriteString("reason", reason);
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private byte[] Format(in PolicyAudit record)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteTime(json);
            json.WriteString("event", "policy");
            if (record.Decision is { } decision)
            {
                json.WriteString("rule", decision.Rule);
                json.WriteString("action", decision.Action switch { PolicyAction.Allow => "allow", PolicyAction.Deny => "deny", _ => "reject" });
                if (decision.User is { } user)
                    json.WriteString("user", user.Length <= 256 ? user : user[..256]);
                json.WriteString("source", decision.Source.ToString());
                if (decision.SourcePort is { } sourcePort)
                    json.WriteNumber("sourcePort", sourcePort);
                json.WriteString("destination", decision.Destination.ToString());
                if (decision.DestinationPort is { } port)
                    json.WriteNumber("destinationPort", port);
                if (decision.Protocol is { } protocol)
                    json.WriteNumber("protocol", protocol);
            }
            else
            {
                json.WriteNumber("leftOut", record.Suppressed);
            }
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private void WriteTime(Utf8JsonWriter json) =>
        json.WriteString("time", clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));

    private static void Append(string path, ReadOnlySpan<byte> line)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = Storage.AtomicFile.OwnerOnly,
            BufferSize = 0,
        };
        using var stream = new FileStream(path, options);
        stream.Write(line);
    }
}
