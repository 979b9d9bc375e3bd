using System.Buffers.Binary;
using System.Text;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Resumption;

/// <summary>What a server's ticket says, before it is sealed: a format of our own, which no client reads.</summary>
/// <remarks>
/// version (1) | suite (2) | issued, ms of Unix time (8) | ticket_age_add (4) | most early data (4) | pre-shared key | application protocol
/// behind its length (1) | name that the client asked for, in UTF-8, behind its length (1); and if the client has shown a certificate:
/// proof of its key, ms (8) | end of its certificate, ms (8) | digest of the rules (32) | DER
/// </remarks>
internal readonly ref struct TicketState
{
    /// <summary>Longest plaintext: a protocol and a name have at most 255 bytes each.</summary>
    public const int MaxLength = FixedLength + TlsHashes.MaxLength + 1 + 255 + 1 + 255 + IdentityHeader + ClientIdentity.MaxCertificate;

    private const byte Version = 3;
    private const int FixedLength = 1 + 2 + 8 + 4 + 4, PolicyLength = 32, IdentityHeader = 8 + 8 + PolicyLength;

    private ReadOnlySpan<byte> Identity { get; init; }

    public TlsCipherSuite Suite { get; init; }

    /// <summary>Milliseconds of Unix time.</summary>
    public long Issued { get; init; }

    /// <summary>What hides the ticket's age on the wire.</summary>
    public uint AgeAdd { get; init; }

    /// <summary>Most bytes of early data with the ticket; 0 for none.</summary>
    public int MaxEarlyData { get; init; }

    /// <summary>A view into the plaintext.</summary>
    public ReadOnlySpan<byte> PreSharedKey { get; init; }

    /// <summary>A view into the plaintext; empty for none.</summary>
    public ReadOnlySpan<byte> ApplicationProtocol { get; init; }

    public string? ServerName { get; init; }

    /// <summary>Whether the client has shown a certificate; what follows is there only then.</summary>
    public bool HasIdentity => !Identity.IsEmpty;

    /// <summary>When the client proved its private key, in milliseconds of Unix time.</summary>
    public long Verified => BinaryPrimitives.ReadInt64BigEndian(Identity);

    /// <summary>When its certificate ends, in milliseconds of Unix time.</summary>
    public long NotAfter => BinaryPrimitives.ReadInt64BigEndian(Identity[8..]);

    /// <summary>The digest of the rules that accepted it.</summary>
    public ReadOnlySpan<byte> Policy => Identity.Slice(16, PolicyLength);

    /// <summary>Reads a plaintext.</summary>
    /// <returns>False if it is of another version, or not one at all.</returns>
    public static bool TryParse(ReadOnlySpan<byte> plaintext, out TicketState state)
    {
        state = default;
        if (plaintext.Length < FixedLength || plaintext[0] != Version
            || !CipherSuiteParameters.TryGet((TlsCipherSuite)BinaryPrimitives.ReadUInt16BigEndian(plaintext[1..]), out CipherSuiteParameters parameters))
            return false;
        ReadOnlySpan<byte> identity = plaintext[FixedLength..];
        var rest = new WireReader(identity);
        if (!rest.TryReadBytes(parameters.Hash.Length(), out ReadOnlySpan<byte> key) || !rest.TryReadVector8(out ReadOnlySpan<byte> protocol)
            || !rest.TryReadVector8(out ReadOnlySpan<byte> name))
            return false;
        identity = identity[(key.Length + 1 + protocol.Length + 1 + name.Length)..];
        if (identity.Length is > 0 and <= IdentityHeader)
            return false;
        state = new TicketState
        {
            Suite = parameters.Suite,
            Issued = BinaryPrimitives.ReadInt64BigEndian(plaintext[3..]),
            AgeAdd = BinaryPrimitives.ReadUInt32BigEndian(plaintext[11..]),
            MaxEarlyData = BinaryPrimitives.ReadInt32BigEndian(plaintext[15..]),
            PreSharedKey = key,
            ApplicationProtocol = protocol,
            ServerName = name.IsEmpty ? null : Encoding.UTF8.GetString(name),
            Identity = identity,
        };
        return true;
    }

    /// <summary>Writes this as a plaintext.</summary>
    /// <param name="identity">Who the client is, if it has shown a certificate.</param>
    /// <param name="plaintext">Room for <see cref="MaxLength"/> bytes.</param>
    /// <returns>Its length.</returns>
    public int Write(ClientIdentity? identity, Span<byte> plaintext)
    {
        plaintext[0] = Version;
        BinaryPrimitives.WriteUInt16BigEndian(plaintext[1..], (ushort)Suite);
        BinaryPrimitives.WriteInt64BigEndian(plaintext[3..], Issued);
        BinaryPrimitives.WriteUInt32BigEndian(plaintext[11..], AgeAdd);
        BinaryPrimitives.WriteInt32BigEndian(plaintext[15..], MaxEarlyData);
        PreSharedKey.CopyTo(plaintext[FixedLength..]);
        int at = FixedLength + PreSharedKey.Length;
        plaintext[at++] = (byte)ApplicationProtocol.Length;
        ApplicationProtocol.CopyTo(plaintext[at..]);
        at += ApplicationProtocol.Length + 1;
        int end = at + (ServerName == null ? 0 : Encoding.UTF8.GetBytes(ServerName, plaintext[at..]));
        plaintext[at - 1] = (byte)(end - at);
        if (identity == null)
            return end;
        BinaryPrimitives.WriteInt64BigEndian(plaintext[end..], identity.Verified);
        BinaryPrimitives.WriteInt64BigEndian(plaintext[(end + 8)..], identity.NotAfter);
        identity.Policy.CopyTo(plaintext[(end + 16)..]);
        identity.Certificate.CopyTo(plaintext[(end + IdentityHeader)..]);
        return end + IdentityHeader + identity.Certificate.Length;
    }

    /// <summary>Copies the client's identity out; null if it has shown no certificate.</summary>
    public ClientIdentity? GetIdentity() => HasIdentity ? new ClientIdentity(Identity[IdentityHeader..].ToArray(), Verified, NotAfter, Policy.ToArray()) : null;
}
