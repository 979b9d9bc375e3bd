using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>The connections of one test, each of which resumes the one before.</summary>
internal sealed class ShimRun(ShimFlags flags) : IDisposable
{
    private static readonly int[] s_sizes = [0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769];

    private readonly ShimClock _clock = new();
    private readonly TlsTicketKeyRing _tickets = new();
    private readonly ShimReplayGuard _guard = new();
    private TlsSession? _session;

    /// <exception cref="ShimFailureException">A connection failed.</exception>
    public void Execute()
    {
        for (int i = 0; i <= flags.Initial.ResumeCount; i++)
        {
            ShimSettings settings = i == 0 ? flags.Initial : flags.Resume;
            if (i > 0 && !settings.IsServer && _session == null)
                throw new ShimFailureException("There is no session to resume.");
            using TlsConnection connection = settings.IsServer
                ? new TlsServer(ShimOptions.ForServer(settings, _tickets, _guard, _clock))
                : new TlsClient(ShimOptions.ForClient(settings, _session, _clock));
            using (var channel = new ShimChannel(connection, settings))
            {
                channel.Handshake(settings.ShimWritesFirst ? "hello"u8 : []);
                CheckEarlyData(connection, settings);
                // With rejected early data a client's settings are about what the session promised, and those for another try about what came.
                if (!settings.IsServer && connection.EarlyDataStatus == TlsEarlyDataStatus.Rejected && settings.EnableEarlyData)
                {
                    settings = flags.Retry;
                    CheckEarlyData(connection, settings);
                }
                CheckHandshake(connection, settings, isResumption: i > 0);
                if (settings.ExtraHandshake)
                    channel.Handshake();
                Exchange(connection, channel, settings);
            }
            if (connection is TlsClient client)
                TakeSession(client, settings);
            _clock.Advance(TimeSpan.FromSeconds(settings.ResumptionDelay));
        }
    }

    /// <summary>What the runner expects for data.</summary>
    public static byte[] Inverted(ReadOnlySpan<byte> data)
    {
        byte[] answer = new byte[data.Length];
        for (int i = 0; i < answer.Length; i++)
            answer[i] = (byte)(data[i] ^ 0xFF);
        return answer;
    }

    public void Dispose() => _session?.Dispose();

    private static void Exchange(TlsConnection connection, ShimChannel channel, ShimSettings settings)
    {
        if (settings.ExportKeyingMaterial > 0)
        {
            // RFC 8446 §7.1: a label has at least one byte behind "tls13 ".
            if (settings.ExportLabel.Length == 0)
                throw new NotImplementedFlagException("an empty label");
            byte[] material = new byte[settings.ExportKeyingMaterial];
            connection.ExportKeyingMaterial(settings.ExportLabel, Encoding.Latin1.GetBytes(settings.ExportContext), material);
            channel.Write(material);
        }
        if (settings.WriteDifferentRecordSizes)
        {
            foreach (int size in s_sizes)
                channel.Write(Enumerable.Repeat((byte)0x42, size).ToArray());
        }
        else
        {
            if (settings.ReadWithUnfinishedWrite && channel.EarlyDataSent == 0)
                channel.WriteOneByteOf("hello"u8);
            else if (settings.ShimWritesFirst)
                channel.Write("hello"u8[(connection.EarlyDataStatus == TlsEarlyDataStatus.Accepted ? channel.EarlyDataSent : 0)..]);
        }
        bool isClean = false;
        if (!settings.ShimShutsDown && !settings.WriteDifferentRecordSizes)
            isClean = Echo(connection, channel, settings);
        // Without -check-close-notify the runner wants a quiet end.
        if (!settings.CheckCloseNotify)
            return;
        channel.Close();
        if (settings.ShimShutsDown && !channel.Read(out isClean).IsEmpty)
            throw new ShimFailureException("Data came instead of close_notify.");
        if (!isClean)
            throw new ShimFailureException("The stream ended without close_notify.");
    }

    /// <returns>Whether the runner announced the end by close_notify.</returns>
    private static bool Echo(TlsConnection connection, ShimChannel channel, ShimSettings settings)
    {
        while (true)
        {
            if (settings.KeyUpdateBeforeRead)
            {
                connection.UpdateKeys();
                channel.Write([]);
            }
            ReadOnlySpan<byte> data = channel.Read(out bool isClean);
            if (settings.ExporterBetweenReads)
                connection.ExportKeyingMaterial("between reads", [], new byte[1]);
            if (data.IsEmpty)
                return isClean;
            byte[] answer = Inverted(data);
            channel.SendHeldBack();
            int piece = settings.ReadSize > 0 ? settings.ReadSize : answer.Length;
            foreach (byte[] part in answer.Chunk(piece))
            {
                if (settings.KeyUpdate)
                    connection.UpdateKeys();
                channel.Write(part);
            }
        }
    }

    private static void CheckEarlyData(TlsConnection connection, ShimSettings settings)
    {
        if (settings.EnableEarlyData && !settings.IsServer && settings.ExportKeyingMaterial > 0)
            throw new NotImplementedFlagException("keying material before the handshake is complete");
        if (settings.ExpectAcceptEarlyData)
            Expect("early data", TlsEarlyDataStatus.Accepted, connection.EarlyDataStatus);
        if (settings.ExpectRejectEarlyData)
            Expect("early data that is accepted", false, connection.EarlyDataStatus == TlsEarlyDataStatus.Accepted);
        if (settings.ExpectNoOfferEarlyData)
            Expect("early data", TlsEarlyDataStatus.None, connection.EarlyDataStatus);
        // Why it was not is BoringSSL's affair, but whether it was.
        if (settings.ExpectEarlyDataReason is { } reason)
            Expect($"early data that is accepted ({reason})", reason == "accept", connection.EarlyDataStatus == TlsEarlyDataStatus.Accepted);
    }

    private static void CheckHandshake(TlsConnection connection, ShimSettings settings, bool isResumption)
    {
        Expect("resumption", isResumption && !settings.ExpectSessionMiss, connection.IsResumed);
        if (settings.ExpectHelloRetryRequest || settings.ExpectNoHelloRetryRequest)
            Expect("HelloRetryRequest", settings.ExpectHelloRetryRequest, connection.WasRetried);
        string protocol = (settings.IsServer ? settings.SelectAlpn : settings.ExpectAlpn) ?? "";
        Expect("application protocol", protocol, Encoding.Latin1.GetString(connection.ApplicationProtocol.Protocol.Span));
        if (settings.ExpectServerName != null || settings.ExpectNoServerName)
            Expect("server name", settings.ExpectServerName, connection.ServerName);
        if (settings.ExpectCurve != TlsNamedGroup.None)
            Expect("group", settings.ExpectCurve, connection.NegotiatedGroup);
        if (settings.ExpectCipher != TlsCipherSuite.None)
            Expect("cipher suite", settings.ExpectCipher, connection.NegotiatedCipherSuite);
        // A resumed connection has no signature, and a server keeps its own.
        if (settings.ExpectPeerSignature != TlsSignatureScheme.None && !connection.IsResumed && !settings.IsServer)
            Expect("signature scheme", settings.ExpectPeerSignature, connection.NegotiatedSignatureScheme);
        bool needsCertificate = !settings.IsServer || settings.RequireClientCertificate;
        if (settings.ExpectNoPeerCert || !connection.PreSharedKeyIdentity.IsEmpty)
            Expect("certificate", null, connection.RemoteCertificate);
        else if (needsCertificate && connection.RemoteCertificate == null)
            throw new ShimFailureException("The peer's certificate is missing.");
        if (settings.ExpectOcspResponse is { } response && connection is TlsClient client && !connection.IsResumed)
            Expect("OCSP response", Convert.ToHexString(response), Convert.ToHexString(client.OcspResponse));
        if (settings.ExpectPeerCertFile is { } file)
        {
            using X509Certificate2 expected = X509CertificateLoader.LoadCertificateFromFile(file);
            Expect("certificate", expected.Thumbprint, connection.RemoteCertificate?.Thumbprint);
        }
    }

    private void TakeSession(TlsClient client, ShimSettings settings)
    {
        _session?.Dispose();
        bool isThere = client.TryTakeSession(out _session);
        // Who shuts down at once may not have seen the ticket yet.
        if (!settings.ShimShutsDown)
            Expect("session", !settings.ExpectNoSession, isThere);
        if (settings.ExpectTicketSupportsEarlyData && isThere)
            Expect("early data in the ticket", true, _session!.MaxEarlyData != 0);
    }

    private static void Expect<T>(string what, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new ShimFailureException($"Expected {what}: {expected}; got: {actual}");
    }
}
