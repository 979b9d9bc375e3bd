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
    private long _askAgain = Environment.TickCount64;

    /// <summary>A packet's comment, or null.</summary>
    public string? Of(in CaptureRecord record)
    {
        (ulong, ushort, bool) key = (record.Subject, record.Note, record.NotTaken);
        if (_texts.TryGetValue(key, out string? text))
            return text;
        text = Make(record.Subject, record.Note, record.NotTaken, out bool complete);
        if (complete)
            _texts.Add(key, text);
        return text;
    }

    private string? Make(ulong subject, ushort note, bool notTaken, out bool complete)
    {
        var parts = new List<string>();
        complete = true;
        if (CaptureNotes.TryGetSession(subject, out ulong session))
        {
            string? user = UserOf(session);
            // Not for ever without a name: the session may be younger than the list.
            complete = user != null;
            parts.Add(complete ? $"user {user}, session {session}" : $"session {session}");
        }
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
        if (!_sessions.ContainsKey(session) && Environment.TickCount64 >= _askAgain)
        {
            _sessions = listSessions();
            _askAgain = Environment.TickCount64 + (long)s_listAge.TotalMilliseconds;
        }
        return _sessions.GetValueOrDefault(session);
    }
}
