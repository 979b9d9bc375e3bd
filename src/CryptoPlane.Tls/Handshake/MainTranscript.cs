using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// The messages of a handshake that is over, kept for authentication behind it, whose transcripts begin with them (RFC 8446 §4.4). A running
/// hash cannot be copied, so these are the messages themselves: a few KiB, and only where that authentication was offered.
/// </summary>
internal sealed class MainTranscript(TlsHash hash, byte[] messages)
{
    /// <summary>Begins a transcript for one authentication; the caller disposes of it.</summary>
    public TranscriptHash Begin()
    {
        var transcript = new TranscriptHash();
        transcript.Append(messages);
        transcript.Select(hash);
        return transcript;
    }
}
