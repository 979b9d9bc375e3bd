using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Malformed;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>Sends the messages of a scripted peer, most of them as they are, and some changed, lost, doubled, cut up, or in bad company.</summary>
internal sealed class PerturbedPeer(ScriptedPeer peer, Random random, int oneIn)
{
    private static readonly HandshakeType[] s_samples =
    [
        HandshakeType.ClientHello, HandshakeType.ServerHello, HandshakeType.EncryptedExtensions, HandshakeType.CertificateRequest, HandshakeType.Certificate,
        HandshakeType.CertificateVerify, HandshakeType.Finished,
    ];

    /// <summary>The application data that was sent, whether it may be read or not.</summary>
    public List<byte> SentData { get; } = [];

    /// <summary>Whether a fatal alert or close_notify was sent.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Sends a message.</summary>
    /// <returns>Whether it went out as it was, whole.</returns>
    public bool Send(byte[] message)
    {
        if (random.Next(oneIn) != 0)
        {
            peer.Send(message, Fragment());
            return true;
        }
        switch (random.Next(14))
        {
            case 0:
                return false;
            case 1:
                peer.Send(message);
                peer.Send(message, Fragment());
                return true;
            case 2:
                Disturb();
                peer.Send(message, Fragment());
                return true;
            case 3:
                peer.Send(message, Fragment());
                Disturb();
                return true;
            case 4:
                peer.Send(Sample());
                peer.Send(message);
                return true;
            case 5:
                peer.SendTogether(message, Sample());
                return true;
            case 6:
                Interleave(message);
                return true;
            case 7 or 8:
                // The smallest change: a signature or a verify_data that is wrong in one bit.
                byte[] flipped = [.. message];
                flipped[random.Next(4, message.Length)] ^= (byte)(1 << random.Next(8));
                peer.Send(flipped, Fragment());
                return false;
            case 9 when peer.Records.IsWriteProtected:
                peer.Context.Transcript.Append(message);
                peer.SendRecord(TlsContentType.None, [.. message, (byte)TlsContentType.Handshake, .. new byte[random.Next(300)]]);
                return true;
            default:
                byte[] changed = MessageMutator.Mutate(message, random);
                peer.Send(changed, Fragment());
                return changed.AsSpan().SequenceEqual(message);
        }
    }

    /// <summary>Sends something else than a message of the handshake.</summary>
    public void Disturb()
    {
        byte[] bytes = new byte[random.Next(40)];
        random.NextBytes(bytes);
        switch (random.Next(12))
        {
            case 0:
                peer.SendRaw(20, 3, 3, 0, 1, 1);
                break;
            case 1:
                peer.SendRaw([(byte)random.Next(19, 26), 3, (byte)random.Next(5), 0, (byte)bytes.Length, .. bytes]);
                break;
            case 2:
                peer.SendRaw(bytes);
                break;
            case 3:
                SendAlert(random.Next(3) == 0 ? (byte)TlsAlert.UserCanceled : (byte)random.Next(256), random.Next(8) == 0 ? 1 + random.Next(4) : 2);
                break;
            case 4:
                var type = (TlsContentType)random.Next(256);
                if (type != TlsContentType.ApplicationData)
                    peer.SendRecord(type, bytes);
                break;
            case 5 when peer.Records.IsWriteProtected:
                peer.SendRecord(TlsContentType.None, new byte[1 + random.Next(200)]);
                break;
            case 6 when peer.Records.IsWriteProtected:
                peer.SendRecord(TlsContentType.None, [(byte)random.Next(20, 25), .. new byte[random.Next(100)]]);
                break;
            case 7:
                for (int count = random.Next(60); count > 0; count--)
                    peer.SendRaw(20, 3, 3, 0, 1, 1);
                break;
            case 8:
                peer.SendRecord(TlsContentType.Handshake, Sample());
                break;
            default:
                SendData(bytes);
                break;
        }
    }

    /// <summary>Sends application data under the present keys.</summary>
    public void SendData(byte[] data)
    {
        SentData.AddRange(data);
        peer.SendRecord(TlsContentType.ApplicationData, data);
    }

    /// <summary>What may come behind a handshake: data, KeyUpdates, tickets, requests, alerts, and what may not.</summary>
    public void SendAnythingBehindTheHandshake()
    {
        switch (random.Next(8))
        {
            case 0:
                SendHandshake(ScriptedPeer.Build(HandshakeType.KeyUpdate, (byte)random.Next(3)));
                break;
            case 1:
                byte[] ticket = [0, 0, (byte)random.Next(3), 0, 1, 2, 3, 4, 1, 9, 0, 4, 1, 2, 3, 4, 0, 8, 0, 42, 0, 4, 0, 0, 0x40, 0];
                SendHandshake(ScriptedPeer.Build(HandshakeType.NewSessionTicket, ticket));
                break;
            case 2:
                SendHandshake(Sample());
                break;
            case 3:
                Disturb();
                break;
            default:
                SendData([.. Enumerable.Repeat((byte)random.Next(256), random.Next(100))]);
                break;
        }
    }

    private void SendHandshake(byte[] message)
    {
        byte[] content = random.Next(3) == 0 ? MessageMutator.Mutate(message, random) : message;
        foreach (byte[] part in content.Chunk(Fragment()))
            peer.SendRecord(TlsContentType.Handshake, part);
    }

    private void Interleave(byte[] message)
    {
        peer.Context.Transcript.Append(message);
        int half = random.Next(1, Math.Max(2, message.Length - 1));
        peer.SendRecord(TlsContentType.Handshake, message.AsSpan(0, half));
        Disturb();
        peer.SendRecord(TlsContentType.Handshake, message.AsSpan(half));
    }

    private void SendAlert(byte alert, int length)
    {
        HasEnded = true;
        peer.SendRecord(TlsContentType.Alert, [.. new byte[] { (byte)random.Next(3), alert, 0, 0, 0 }.AsSpan(0, length)]);
    }

    private int Fragment() => random.Next(4) == 0 ? random.Next(1, 200) : TlsRecordSizes.MaxContent;

    private byte[] Sample()
    {
        byte[] sample = SampleMessages.Get(s_samples[random.Next(s_samples.Length)]);
        return random.Next(2) == 0 ? sample : MessageMutator.Mutate(sample, random);
    }
}
