using CryptoPlane.Capture;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Capture;

/// <summary>Packets' comments: whose they are, and why they went no further. One thread; each text is made once.</summary>
/// <param name="espTunnels">The ESP tunnels' names, by their numbers.</param>
/// <param name="listSessions">The sessions of now with their users.</param>
internal sealed class CaptureComments(IReadOnlyList<string> espTunnels, Func<IReadOnlyDictionary<ulong, string>> listSessions)
{
    /// <summary>Sessions come and go: the list is not asked more often than this.</summary>
    private static readonly TimeSpan s_listAge = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(ulong Subject, ushort Note, bool NotTaken), string?> _texts = [];
    private IReadOnlyDictionary<ulong, string> _sessions = new Dictionary<ulong, string>();
    private long _listed = long.MinValue;

    /// <summary>A packet's comment, or null.</summary>
    public string? Of(in CaptureRecord record)
    {
        (ulong, ushort, bool) key = (record.Subject, record.Note, record.NotTaken);
        if (!_texts.TryGetValue(key, out string? text))
            _texts.Add(key, text = Make(record.Subject, record.Note, record.NotTaken));
        return text;
    }

    private string? Make(ulong subject, ushort note, bool notTaken)
    {
        var parts = new List<string>();
        if (CaptureNotes.TryGetSession(subject, out ulong session))
            parts.Add(UserOf(session) is { } user ? $"user {user}, session {session}" : $"session {session}");
        if (CaptureNotes.TryGetEspTunnel(subject, out int tunnel))
            parts.Add($"ESP tunnel {(tunnel < espTunnels.Count ? espTunnels[tunnel] : tunnel)}");
        if (CaptureNotes.DropReasonOf(note) is { } reason)
            parts.Add($"dropped: {reason}");
        if (notTaken)
            parts.Add("dropped: the port took no more");
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private string? UserOf(ulong session)
    {
        if (!_sessions.ContainsKey(session) && Environment.TickCount64 - _listed > (long)s_listAge.TotalMilliseconds)
        {
            _sessions = listSessions();
            _listed = Environment.TickCount64;
        }
        return _sessions.GetValueOrDefault(session);
    }
}
