using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Robustness;

/// <summary>How connections end, and that they stay so (RFC 8446 §6).</summary>
public sealed class EndTests
{
    [Fact]
    public void Alerts_that_are_not_known_are_errors()
    {
        // RFC 8446 §6: "Unknown Alert types MUST be treated as error alerts", at whatever level, and those of §6.2 as well.
        for (int alert = 1; alert < 256; alert++)
        {
            if (alert == (int)TlsAlert.UserCanceled)
                continue;
            using TlsServer server = ConnectedPeers.Server(out ScriptedClient client);
            client.SendRecord(TlsContentType.Alert, [(byte)(alert % 3), (byte)alert]);
            client.SendRecord(TlsContentType.ApplicationData, "never"u8);
            ConnectedPeers.ExpectFailure(server, client, (TlsAlert)alert);
            Assert.Equal(TlsErrorKind.PeerAlerted, server.Error!.Kind);
            // §6.2: nothing is sent back.
            Assert.False(server.HasPendingOutput);
            client.Dispose();
        }
    }

    [Fact]
    public void A_failed_connection_stays_failed()
    {
        // RFC 8446 §6.2: "both parties MUST immediately close the connection … MUST forget the secret values and keys".
        using TlsServer server = ConnectedPeers.Server(out ScriptedClient client);
        client.SendRecord(TlsContentType.ApplicationData, "before"u8);
        byte[] good = client.Take(), forged = [.. good];
        client.SendRecord(TlsContentType.ApplicationData, "behind"u8);
        byte[] behind = client.Take(), data = new byte[TlsConnection.MaxPlaintextSize], wire = new byte[1000];
        forged[^1] ^= 1;
        TlsPair.Receive(server, forged, out TlsStatus status);
        Assert.Equal(TlsStatus.Failed, status);
        TlsError error = server.Error!;
        Assert.Equal(TlsStatus.Failed, server.Flush(wire, out int written));
        Assert.Equal(24, written);
        foreach (byte[] source in new[] { good, behind, [] })
        {
            Assert.Equal(TlsStatus.Failed, server.Read(source, data, out int consumed, out int count));
            Assert.Equal((0, 0), (consumed, count));
            Assert.Equal(TlsStatus.Failed, server.Write("late"u8, wire, out consumed, out written));
            Assert.Equal((0, 0), (consumed, written));
            Assert.Equal(TlsStatus.Failed, server.Handshake(source, wire, out consumed, out written));
            Assert.Equal((0, 0), (consumed, written));
            Assert.Equal(TlsStatus.Failed, server.Close(wire, out written));
            Assert.Equal(0, written);
        }
        Assert.False(server.IsHandshakeComplete);
        Assert.Same(error, server.Error);
        client.Dispose();
    }

    [Fact]
    public void A_truncated_stream_is_never_closed()
    {
        // RFC 8446 §6.1: an attacker who cuts the stream, at whatever byte, cannot make an end of it that looks orderly.
        using TlsServer whole = ConnectedPeers.Server(out ScriptedClient client);
        client.SendRecord(TlsContentType.ApplicationData, "data"u8);
        client.SendRecord(TlsContentType.Alert, [1, (byte)TlsAlert.CloseNotify]);
        byte[] wire = client.Take(), data = new byte[TlsConnection.MaxPlaintextSize];
        int offset = 0;
        for (int cut = 0; cut < wire.Length; cut++)
        {
            TlsStatus status = whole.Read(wire.AsSpan(offset, cut - offset), data, out int consumed, out _);
            offset += consumed;
            Assert.True(status is TlsStatus.NeedMoreData or TlsStatus.Complete, status.ToString());
        }
        Assert.Equal(TlsStatus.Closed, whole.Read(wire.AsSpan(offset), data, out _, out _));
        client.Dispose();
    }
}
