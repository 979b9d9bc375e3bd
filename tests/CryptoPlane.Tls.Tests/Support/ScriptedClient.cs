using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Handshake.Client;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A client that says what a test tells it to, and verifies nothing.</summary>
internal sealed class ScriptedClient : ScriptedPeer
{
    private readonly ClientOffer _offer;
    private ClientKeyShares _shares = Shares(TlsNamedGroup.X25519);

    public ScriptedClient(TlsClientOptions? options = null)
        : base(options ?? TlsPair.ClientOptions()) => _offer = new ClientOffer(options ?? TlsPair.ClientOptions());

    public HandshakeKeys Keys { get; private set; } = null!;

    public ApplicationKeys Application { get; private set; } = null!;

    /// <summary>A proper ClientHello, to be changed.</summary>
    public HelloBytes Hello(TlsNamedGroup group = TlsNamedGroup.X25519)
    {
        _shares.Dispose();
        _shares = Shares(group);
        return HelloBytes.Parse(Build(writer => _offer.Write(writer, _shares, Context.Transcript)));
    }

    /// <summary>Puts right binders into a ClientHello that was changed before them; those of its offer end it still.</summary>
    public byte[] Rebind(byte[] message)
    {
        byte[] bound = [.. message], binder = new byte[TlsHashes.MaxLength];
        int length = 2 + _offer.Keys.Sum(key => 1 + key.Hash.Length()), end = bound.Length - length, at = end + 2;
        if (_offer.Keys.Count == 0 || end < 4)
            return bound;
        foreach (OfferedKey key in _offer.Keys)
        {
            key.ComputeBinder(Context.Transcript, bound.AsSpan(0, end), binder);
            binder.AsSpan(0, key.Hash.Length()).CopyTo(bound.AsSpan(at + 1));
            at += 1 + key.Hash.Length();
        }
        return bound;
    }

    /// <summary>Takes the keys out of the ServerHello, and the server's flight behind it.</summary>
    public void TakeFlight(byte[] bytes)
    {
        int helloLength = TlsRecordSizes.Header + ((bytes[3] << 8) | bytes[4]);
        Feed(bytes[..helloLength]);
        byte[] message = Received[^1];
        Assert.Null(ServerHello.Parse(message.AsSpan(4), out ServerHello hello));
        Assert.True(hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> data));
        Assert.True(KeyShareExtension.TryParseServer(data, out TlsNamedGroup group, out ReadOnlySpan<byte> share));
        KeyExchangeInitiator initiator = _shares.Of(group);
        byte[] secret = new byte[initiator.Group.SecretSize];
        Assert.True(initiator.TryFinish(share, secret));
        Context.CipherSuite = (TlsCipherSuite)hello.CipherSuite;
        if (hello.Extensions.TryGet(ExtensionType.PreSharedKey, out ReadOnlySpan<byte> taken))
        {
            Assert.True(PreSharedKeyExtension.TryParseSelected(taken, out ushort selected));
            _offer.Keys[selected].TakeInto(Context, selected);
        }
        Context.Transcript.Select(CipherSuiteParameters.Of(Context.CipherSuite).Hash);
        Context.Transcript.Append(message);
        Keys = HandshakeKeys.Derive(Context, secret);
        Context.ChangeReadKeys(Keys.Server, TlsTrafficUse.ReadHandshake);
        Context.ChangeWriteKeys(Keys.Client);

        int before = Received.Count;
        Feed(bytes[helloLength..]);
        for (int i = before; i < Received.Count; i++)
            Context.Transcript.Append(Received[i]);
        Application = Keys.ToApplicationKeys(Context);
        Context.ChangeReadKeys(Application.Server, TlsTrafficUse.ReadHandshake);
    }

    /// <summary>A credential's chain, or an empty Certificate.</summary>
    public static byte[] Certificate(TlsCredential? credential, params byte[] requestContext) =>
        Build(writer => CertificateMessage.Write(writer, requestContext, credential?.Chain ?? []));

    /// <summary>A right signature over the transcript so far; the scheme on the wire may be another, and the context string the server's.</summary>
    public byte[] CertificateVerify(TlsCredential credential, TlsSignatureScheme scheme, TlsSignatureScheme? claimed = null, bool asServer = false)
    {
        using var work = new TranscriptSignature(credential, scheme, asServer ? Context.ServerSignedContent() : Context.ClientSignedContent());
        work.Execute();
        Assert.Null(work.Error);
        byte[] signature = work.Signature.ToArray();
        return Build(writer => CertificateVerifyMessage.Write(writer, claimed ?? scheme, signature));
    }

    /// <summary>A right Finished over the transcript so far.</summary>
    public byte[] Finished()
    {
        byte[] digest = new byte[48], verifyData = new byte[Keys.Client.Hash.Length()];
        Keys.Client.ComputeFinished(Context.Transcript.Snapshot(digest), verifyData);
        return Build(writer => FinishedMessage.Write(writer, verifyData));
    }

    public override void Dispose()
    {
        _shares.Dispose();
        Keys?.Dispose();
        Application?.Dispose();
        base.Dispose();
    }

    private static ClientKeyShares Shares(TlsNamedGroup group) => new([new ClientKeyShares.Pair(group, group.KeyExchange()!.CreateInitiator())]);
}
