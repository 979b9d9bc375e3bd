using System.Runtime.InteropServices;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>What a crypto device is and can do.</summary>
public sealed record CryptodevInfo
{
    internal unsafe CryptodevInfo(int id, in CryptodevDescription description)
    {
        Id = id;
        // Sound: the C side ends both names with a zero within their size.
        fixed (byte* name = description.Name, driver = description.Driver)
        {
            Name = Marshal.PtrToStringUTF8((nint)name)!;
            Driver = Marshal.PtrToStringUTF8((nint)driver)!;
        }
        MaxQueuePairs = (int)description.MaxQueuePairs;
        Socket = description.Socket;
        SupportsAes128Gcm = description.Aes128Gcm != 0;
        SupportsAes256Gcm = description.Aes256Gcm != 0;
        IsHardware = description.IsHardware != 0;
    }

    /// <summary>Such as <c>crypto_aesni_gcm0</c> or <c>0000:3d:01.0_qat_sym</c>.</summary>
    public string Name { get; }

    /// <summary>The poll-mode driver, such as <c>crypto_aesni_gcm</c> or <c>crypto_qat</c>.</summary>
    public string Driver { get; }

    /// <summary>Queue pairs that the device has.</summary>
    public int MaxQueuePairs { get; }

    /// <summary>NUMA node, or -1 where there is none.</summary>
    public int Socket { get; }

    /// <summary>AEAD_AES_128_GCM with a 12-byte nonce and a 16-byte tag.</summary>
    public bool SupportsAes128Gcm { get; }

    /// <summary>AEAD_AES_256_GCM with a 12-byte nonce and a 16-byte tag.</summary>
    public bool SupportsAes256Gcm { get; }

    /// <summary>Whether this is an accelerator, not software on the CPU.</summary>
    public bool IsHardware { get; }

    internal int Id { get; }
}
