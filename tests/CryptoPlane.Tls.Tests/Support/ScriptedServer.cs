using System.Security.Cryptography;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Handshake.Server;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A server that says what a test tells it to.</summary>
internal sealed class ScriptedServer(TlsServerOptions options) : ScriptedPeer(options)
{
    private readonly TlsCredential _certificate = options.CertificateSelector(null)!;

    public HandshakeKeys Keys { get; private set; } = null!;

    public ApplicationKeys Application { get; private set; } = null!;

    /// <summary>The group of the client's share.</summary>
    public TlsNamedGroup Group { get; private set; }

    /// <summary>Answers the first or second ClientHello, possibly changed, and takes the handshake's keys.</summary>
    public void AnswerHello(Func<HelloBytes, HelloBytes>? change = null)
    {
        byte[] message = Received[^1];
        Assert.Null(ClientHello.Parse(message.AsSpan(4), out ClientHello hello));
        Assert.Null(ServerNegotiation.Negotiate(options, hello, out ServerNegotiation chosen));
        using var agreement = new ResponderAgreement(chosen.Group, chosen.KeyExchange, chosen.ClientShare);
        agreement.Execute();
        Assert.Null(agreement.Error);
        Group = chosen.Group;
        Context.CipherSuite = chosen.CipherSuite;
        Context.Transcript.Select(CipherSuiteParameters.Of(chosen.CipherSuite).Hash);
        Context.Transcript.Append(message);

        byte[] sessionId = hello.SessionId.ToArray();
        byte[] share = agreement.ServerShare.ToArray();
        byte[] answer = Build(writer => ServerHello.Write(writer, RandomNumberGenerator.GetBytes(32), sessionId, (ushort)Context.CipherSuite, Group, share));
        if (change is not null)
            answer = change(HelloBytes.Parse(answer)).ToMessage();
        Send(answer);
        Keys = HandshakeKeys.Derive(Context, agreement.Secret);
        Context.ChangeWriteKeys(Keys.Server);
        Context.ChangeReadKeys(Keys.Client, TlsTrafficUse.ReadHandshake);
    }

    /// <summary>Answers the first ClientHello with a HelloRetryRequest, possibly changed.</summary>
    public void AskForRetry(TlsNamedGroup group, Func<HelloBytes, HelloBytes>? change = null)
    {
        byte[] message = Received[^1];
        Assert.Null(ClientHello.Parse(message.AsSpan(4), out ClientHello hello));
        Context.Transcript.Select(CipherSuiteParameters.Of(options.CipherSuites[0]).Hash);
        Context.Transcript.Append(message);
        Context.Transcript.ReplaceWithMessageHash();
        byte[] sessionId = hello.SessionId.ToArray();
        byte[] answer = Build(writer => ServerHello.WriteRetry(writer, sessionId, (ushort)options.CipherSuites[0], group));
        Send(change is null ? answer : change(HelloBytes.Parse(answer)).ToMessage());
    }

    public static byte[] EncryptedExtensions(params (ExtensionType Type, byte[] Data)[] extensions) => Build(writer =>
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.EncryptedExtensions);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach ((ExtensionType type, byte[] data) in extensions)
        {
            writer.WriteUInt16((ushort)type);
            writer.WriteVector16(data);
        }
        writer.End(list);
        writer.End(message);
    });

    public byte[] Certificate() => Build(writer => CertificateMessage.Write(writer, default, _certificate.Chain));

    /// <summary>A right signature over the transcript so far; the scheme on the wire may be another.</summary>
    public byte[] CertificateVerify(TlsSignatureScheme scheme = TlsSignatureScheme.EcdsaSecp256r1Sha256, TlsSignatureScheme? claimed = null)
    {
        using var work = new TranscriptSignature(_certificate, scheme, Context.ServerSignedContent());
        work.Execute();
        Assert.Null(work.Error);
        byte[] signature = work.Signature.ToArray();
        return Build(writer => CertificateVerifyMessage.Write(writer, claimed ?? scheme, signature));
    }

    /// <summary>A right Finished over the transcript so far.</summary>
    public byte[] Finished()
    {
        byte[] digest = new byte[48], verifyData = new byte[Keys.Server.Hash.Length()];
        Keys.Server.ComputeFinished(Context.Transcript.Snapshot(digest), verifyData);
        return Build(writer => FinishedMessage.Write(writer, verifyData));
    }

    /// <summary>Sends the rest of a proper flight, and takes the application's keys.</summary>
    public void SendFlight(int fragment = TlsRecordSizes.MaxContent)
    {
        Send(EncryptedExtensions(), fragment);
        Send(Certificate(), fragment);
        Send(CertificateVerify(), fragment);
        Send(Finished(), fragment);
        TakeApplicationKeys();
    }

    /// <summary>Takes the application's keys for writing; the transcript ends with the server's Finished.</summary>
    public void TakeApplicationKeys()
    {
        Application = Keys.ToApplicationKeys(Context);
        Context.ChangeWriteKeys(Application.Server);
    }

    public override void Dispose()
    {
        Keys?.Dispose();
        Application?.Dispose();
        base.Dispose();
    }
}
