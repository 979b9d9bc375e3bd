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
    private KeyExchangeInitiator _initiator = KeyExchangeGroup.X25519.CreateInitiator();

    public ScriptedClient(TlsClientOptions? options = null)
        : base(options ?? TlsPair.ClientOptions()) => _offer = new ClientOffer(options ?? TlsPair.ClientOptions());

    public HandshakeKeys Keys { get; private set; } = null!;

    public ApplicationKeys Application { get; private set; } = null!;

    /// <summary>A proper ClientHello, to be changed.</summary>
    public HelloBytes Hello(TlsNamedGroup group = TlsNamedGroup.X25519)
    {
        _initiator.Dispose();
        _initiator = group.KeyExchange()!.CreateInitiator();
        return HelloBytes.Parse(Build(writer => _offer.Write(writer, group, _initiator.Share.Span)));
    }

    /// <summary>Takes the keys out of the ServerHello, and the server's flight behind it.</summary>
    public void TakeFlight(byte[] bytes)
    {
        int helloLength = TlsRecordSizes.Header + ((bytes[3] << 8) | bytes[4]);
        Feed(bytes[..helloLength]);
        byte[] message = Received[^1];
        Assert.Null(ServerHello.Parse(message.AsSpan(4), out ServerHello hello));
        Assert.True(hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> data));
        Assert.True(KeyShareExtension.TryParseServer(data, out _, out ReadOnlySpan<byte> share));
        byte[] secret = new byte[_initiator.Group.SecretSize];
        Assert.True(_initiator.TryFinish(share, secret));
        Context.CipherSuite = (TlsCipherSuite)hello.CipherSuite;
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

    /// <summary>A right Finished over the transcript so far.</summary>
    public byte[] Finished()
    {
        byte[] digest = new byte[48], verifyData = new byte[Keys.Client.Hash.Length()];
        Keys.Client.ComputeFinished(Context.Transcript.Snapshot(digest), verifyData);
        return Build(writer => FinishedMessage.Write(writer, verifyData));
    }

    public override void Dispose()
    {
        _initiator.Dispose();
        Keys?.Dispose();
        Application?.Dispose();
        base.Dispose();
    }
}
