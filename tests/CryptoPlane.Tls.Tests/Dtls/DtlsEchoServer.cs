using System.Net;
using System.Net.Sockets;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>A UDP socket on loopback around the gate and one association after the other: sends back what it opens.</summary>
internal sealed class DtlsEchoServer : IDisposable
{
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly DtlsTestServer _server = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public DtlsEchoServer() => _serving = Task.Run(ServeAsync);

    public int Port => ((IPEndPoint)_socket.Client.LocalEndPoint!).Port;

    public DtlsCipherSuite Suite => _server.Server?.NegotiatedCipherSuite ?? DtlsCipherSuite.None;

    public bool UsesExtendedMasterSecret => _server.Server is { UsesExtendedMasterSecret: true };

    /// <summary>Whether the client has said good-bye in the proper way.</summary>
    public bool IsClosed { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _serving.Wait();
        _socket.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        bool detached = false;
        try
        {
            while (true)
            {
                UdpReceiveResult received = await _socket.ReceiveAsync(_stop.Token);
                byte[] datagram = received.Buffer;
                IEnumerable<byte[]> answers = [];
                if (detached && datagram.Length > 4 && datagram[4] == 1)
                    answers = Echo(datagram);
                else
                    answers = _server.Receive(datagram);
                if (_server.Server is { IsComplete: true } && !detached)
                {
                    _server.Detach();
                    detached = true;
                }
                foreach (byte[] answer in answers)
                    await _socket.SendAsync(answer, received.RemoteEndPoint);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private IEnumerable<byte[]> Echo(byte[] datagram)
    {
        var answers = new List<byte[]>();
        while (DtlsRecordHeader.TryParse(datagram, out DtlsRecordHeader header))
        {
            (DtlsOpenStatus status, byte[] content) = _server.Open(datagram[..header.RecordLength]);
            datagram = datagram[header.RecordLength..];
            if (status == DtlsOpenStatus.Opened)
                answers.Add(_server.Seal(content));
            IsClosed |= status == DtlsOpenStatus.CloseNotify;
        }
        return answers;
    }
}
