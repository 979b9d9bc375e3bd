using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>
/// One user's EAP-MSCHAPv2 conversation, as server (RFC 3748, draft-kamath-pppext-eap-mschapv2): identity, challenge and response, success,
/// one attempt. Only to be begun in an IKE SA in which we have authenticated by certificate and signature (RFC 7296 §2.16): what the client
/// sends lets whoever reads it try passwords offline.
/// </summary>
internal sealed class EapMsChapV2Server : IDisposable
{
    private const byte ChallengeOp = 1, ResponseOp = 2, SuccessOp = 3, FailureOp = 4;
    private const int MaxName = 256;

    // OpCode, MS-CHAPv2-ID, MS-Length (2), Value-Size.
    private const int ValueOffset = 5;

    // Peer-Challenge (16), reserved (8), NT-Response (24), flags.
    private const int ValueLength = 49, NtResponseOffset = 24;

    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private readonly IEapUsers _users;
    private readonly IPEndPoint _remote;
    private readonly byte[] _serverName;
    private readonly byte[] _challenge = new byte[MsChapV2.ChallengeLength];
    private Step _step = Step.Begin;
    private byte _identifier;
    private SecretBytes? _msk;

    /// <summary>Prepares a conversation.</summary>
    /// <param name="users">Who may come.</param>
    /// <param name="serverName">Told to the client, which shows it at most; ASCII.</param>
    /// <param name="random">Makes the challenge.</param>
    /// <param name="remote">Where the client is.</param>
    public EapMsChapV2Server(IEapUsers users, string serverName, IkeRandomness random, IPEndPoint remote)
    {
        _users = users;
        _remote = remote;
        _serverName = Encoding.ASCII.GetBytes(serverName);
        random(_challenge);
        Span<byte> identifier = stackalloc byte[1];
        random(identifier);
        _identifier = identifier[0];
    }

    private enum Step
    {
        Begin,
        Identity,
        Response,
        Acknowledge,
        Refused,
        Done,
    }

    /// <summary>Who wants to log in, as the client's answer to the challenge says; empty until then. Not proven.</summary>
    public string TriedName { get; private set; } = "";

    /// <summary>Who logged in: the name that MS-CHAPv2 authenticated, not the one that the client gave as its EAP identity. Empty until then.</summary>
    public string UserName { get; private set; } = "";

    /// <summary>The name or the password was wrong, of which the client is told by the latest request. It may answer that, or just go.</summary>
    public bool IsRefused => _step == Step.Refused;

    /// <summary>Whether it was refused because there were too many attempts before.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Takes the MSK, once, after the status was Success. The caller disposes of it.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public SecretBytes TakeMsk()
    {
        if (_step != Step.Done || _msk == null)
            throw new InvalidOperationException("There is an MSK only after success, and only once.");
        SecretBytes msk = _msk;
        _msk = null;
        return msk;
    }

    /// <summary>The first request: who are you?</summary>
    public byte[] Begin()
    {
        if (_step != Step.Begin)
            throw new InvalidOperationException("The conversation has begun.");
        _step = Step.Identity;
        return EapPacket.Request(_identifier, EapPacket.IdentityType, []);
    }

    /// <summary>Goes on with the client's answer. Whatever is wrong about it ends the conversation.</summary>
    /// <param name="response">The client's EAP packet: untrusted.</param>
    /// <param name="packet">What to send.</param>
    public EapStatus Handle(ReadOnlySpan<byte> response, out byte[] packet)
    {
        byte type = _step == Step.Identity ? EapPacket.IdentityType : EapPacket.MsChapV2Type;
        if (_step is Step.Begin or Step.Done || !EapPacket.TryReadResponse(response, _identifier, type, out ReadOnlySpan<byte> data))
            return Fail(out packet);
        switch (_step)
        {
            case Step.Identity:
                // The name that counts comes with the response; what is said here is not authenticated.
                _identifier++;
                _step = Step.Response;
                packet = Message(ChallengeOp, [MsChapV2.ChallengeLength, .. _challenge, .. _serverName]);
                return EapStatus.Request;
            case Step.Response:
                return Check(data, out packet);
            case Step.Acknowledge when data.Length == 1 && data[0] == SuccessOp:
                _step = Step.Done;
                packet = EapPacket.Result(EapPacket.SuccessCode, _identifier);
                return EapStatus.Success;
            default:
                return Fail(out packet);
        }
    }

    /// <summary>Zeroes the MSK, if nobody took it.</summary>
    public void Dispose()
    {
        _msk?.Dispose();
        _msk = null;
    }

    private EapStatus Check(ReadOnlySpan<byte> data, out byte[] packet)
    {
        // MS-CHAPv2-ID repeats the request's, MS-Length is what follows EAP's type.
        if (data.Length <= ValueOffset + ValueLength || data.Length > ValueOffset + ValueLength + MaxName || data[0] != ResponseOp || data[1] != _identifier
            || BinaryPrimitives.ReadUInt16BigEndian(data[2..]) != data.Length || data[4] != ValueLength)
            return Fail(out packet);
        ReadOnlySpan<byte> value = data.Slice(ValueOffset, ValueLength), name = data[(ValueOffset + ValueLength)..];
        ReadOnlySpan<byte> peerChallenge = value[..MsChapV2.ChallengeLength], ntResponse = value.Slice(NtResponseOffset, MsChapV2.ResponseLength);
        if (!TryDecode(name, out string userName))
            return Fail(out packet);

        using SecretBytes hash = new(Md4.Length);
        // For nobody the same is computed as for a user, so that time does not tell who there is.
        EapUserStatus status = _users.Find(userName, _remote, hash.Writable);
        Span<byte> expected = stackalloc byte[MsChapV2.ResponseLength];
        MsChapV2.ComputeResponse(_challenge, peerChallenge, name, hash.Value, expected);
        bool right = CryptographicOperations.FixedTimeEquals(expected, ntResponse) & (status == EapUserStatus.Known);
        _identifier++;
        TriedName = userName;
        if (!right)
        {
            IsBlocked = status == EapUserStatus.Blocked;
            // RFC 2759 §6: ERROR_AUTHENTICATION_FAILURE, no further attempt; a challenge that is not used, the version.
            _step = Step.Refused;
            packet = Message(FailureOp, [.. "E=691 R=0 C="u8, .. new byte[2 * MsChapV2.ChallengeLength].Select(_ => (byte)'0'), .. " V=3 M=Authentication failed"u8]);
            return EapStatus.Request;
        }
        UserName = userName;
        _msk = MsChapV2.DeriveMsk(hash.Value, ntResponse);
        Span<byte> proof = stackalloc byte[MsChapV2.AuthenticatorResponseLength];
        MsChapV2.ComputeAuthenticatorResponse(_challenge, peerChallenge, name, hash.Value, ntResponse, proof);
        _step = Step.Acknowledge;
        packet = Message(SuccessOp, Encoding.ASCII.GetBytes($"S={Convert.ToHexString(proof)} M=Welcome"));
        return EapStatus.Request;
    }

    private EapStatus Fail(out byte[] packet)
    {
        _step = Step.Done;
        UserName = "";
        Dispose();
        packet = EapPacket.Result(EapPacket.FailureCode, _identifier);
        return EapStatus.Failure;
    }

    /// <summary>OpCode, MS-CHAPv2-ID (EAP's identifier), MS-Length, and what the message says.</summary>
    private byte[] Message(byte operation, ReadOnlySpan<byte> rest)
    {
        byte[] data = new byte[4 + rest.Length];
        data[0] = operation;
        data[1] = _identifier;
        BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2), checked((ushort)data.Length));
        rest.CopyTo(data.AsSpan(4));
        return EapPacket.Request(_identifier, EapPacket.MsChapV2Type, data);
    }

    private static bool TryDecode(ReadOnlySpan<byte> name, out string text)
    {
        text = "";
        // What is not printable would also lie to who reads a log.
        foreach (byte character in name)
        {
            if (character is < 0x20 or 0x7F)
                return false;
        }
        try
        {
            text = s_utf8.GetString(name);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
