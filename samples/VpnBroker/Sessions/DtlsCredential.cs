using System.Security.Cryptography;
using CryptoPlane.Tls.Dtls;

namespace VpnBroker.Sessions;

/// <summary>
/// What a client's data channel begins with: its App-ID, which the client's DTLS hello shows, and the key that both sides have from the TLS
/// connection. Of one CONNECT each.
/// </summary>
internal sealed class DtlsCredential
{
    /// <summary>Bytes of an App-ID: those of a session_id.</summary>
    public const int AppIdSize = 32;

    /// <summary>Makes an App-ID.</summary>
    /// <param name="psk">The key; owned by this object from now on.</param>
    public DtlsCredential(byte[] psk)
    {
        Psk = psk;
        AppId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(AppIdSize));
    }

    /// <summary>In hexadecimal digits.</summary>
    public string AppId { get; }

    /// <summary>The tunnel of the CONNECT; 0 until there is one.</summary>
    public ulong TunnelId { get; set; }

    private byte[] Psk { get; }

    /// <summary>Begins an association.</summary>
    public DtlsServer Begin(DtlsServerOptions options, DtlsClientHello hello, long now) => new(options, hello, Psk, now);

    /// <summary>Zeroes the key.</summary>
    public void Erase() => CryptographicOperations.ZeroMemory(Psk);
}
