using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>Writes ServerHello (RFC 5246 §7.4.1.3).</summary>
internal static class DtlsServerHello
{
    private const ExtensionType ExtendedMasterSecret = (ExtensionType)23, RenegotiationInfo = (ExtensionType)0xFF01;

    /// <summary>TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3).</summary>
    private const ushort RenegotiationSignal = 0x00FF;

    /// <summary>Answers a ClientHello.</summary>
    /// <param name="hello">The ClientHello.</param>
    /// <param name="suite">The suite that was chosen.</param>
    /// <param name="random">32 bytes.</param>
    /// <param name="messageSequence">The message's number.</param>
    /// <param name="extendedMasterSecret">Whether the client asked for it, and so gets it.</param>
    public static byte[] Write(in DtlsHelloView hello, DtlsCipherSuite suite, ReadOnlySpan<byte> random, ushort messageSequence, out bool extendedMasterSecret)
    {
        var writer = new WireWriter(128);
        writer.WriteUInt16(DtlsRecordHeader.Version);
        writer.WriteBytes(random);
        // Empty: this session can not be gone on with, and the client's is not (RFC 5246 §7.4.1.3).
        writer.WriteVector8([]);
        writer.WriteUInt16((ushort)suite);
        writer.WriteByte(0);
        extendedMasterSecret = hello.Extensions.Contains(ExtendedMasterSecret);
        // RFC 5746 §3.6: the answer to either way of asking is an empty renegotiated_connection. There is no renegotiation here.
        bool secureRenegotiation = hello.Extensions.Contains(RenegotiationInfo) || hello.CipherSuites.Contains(RenegotiationSignal);
        if (extendedMasterSecret || secureRenegotiation)
        {
            WireWriter.LengthScope extensions = writer.Begin(2);
            if (secureRenegotiation)
            {
                WireWriter.LengthScope extension = writer.BeginExtension(RenegotiationInfo);
                writer.WriteVector8([]);
                writer.End(extension);
            }
            // RFC 7627 §5.1: an empty extension.
            if (extendedMasterSecret)
                writer.End(writer.BeginExtension(ExtendedMasterSecret));
            writer.End(extensions);
        }
        return DtlsHandshakeHeader.Whole(HandshakeType.ServerHello, messageSequence, writer.Written);
    }
}
