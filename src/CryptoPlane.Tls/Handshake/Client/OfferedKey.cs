using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>One pre-shared key of a ClientHello: a session's, or one from elsewhere.</summary>
internal sealed class OfferedKey
{
    private readonly TlsPreSharedKey? _external;

    public OfferedKey(TlsSession session) => Session = session;

    public OfferedKey(TlsPreSharedKey external) => _external = external;

    /// <summary>The session; null if the key is from elsewhere.</summary>
    public TlsSession? Session { get; }

    /// <summary>RFC 8446 §4.2.11: a key goes with one hash.</summary>
    public TlsHash Hash => Session is { } session ? CipherSuiteParameters.Of(session.CipherSuite).Hash : _external!.Hash;

    public PreSharedKeyExtension.Offer Offer => Session is { } session
        ? new(session.Ticket, session.ObfuscatedAge, Hash.Length())
        : new(_external!.Identity.ToArray(), 0, Hash.Length());

    private ReadOnlySpan<byte> Key => Session is { } session ? session.PreSharedKey : _external!.Key;

    /// <summary>Computes the binder over a ClientHello without its binders, and what was said before it.</summary>
    public void ComputeBinder(TranscriptHash transcript, ReadOnlySpan<byte> truncatedHello, Span<byte> binder)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        ReadOnlySpan<byte> label = Session is not null ? EarlySecret.TicketBinder
            : _external!.IsImported ? EarlySecret.ImportedBinder : EarlySecret.ExternalBinder;
        using EarlySecret early = EarlySecret.Of(Hash, Key);
        early.ComputeBinder(label, transcript.SnapshotForBinder(Hash, truncatedHello, digest), binder);
    }

    /// <summary>Takes the key into the handshake, since the server has.</summary>
    public void TakeInto(HandshakeContext context, int identity)
    {
        if (Session is { } session)
            context.Resume(session.PreSharedKey, identity);
        else
            context.TakePreSharedKey(_external!, identity);
    }
}
