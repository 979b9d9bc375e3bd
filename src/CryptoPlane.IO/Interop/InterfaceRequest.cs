using System.Runtime.InteropServices;
using System.Text;

namespace CryptoPlane.IO.Interop;

/// <summary>struct ifreq: an interface's name and one value of many types.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct InterfaceRequest
{
    public const int NameSize = 16;

    public const nuint TUNSETIFF = 0x400454ca, TUNSETOFFLOAD = 0x400454d0, TUNSETSNDBUF = 0x400454d4, TUNSETCARRIER = 0x400454e2;
    public const nuint SIOCGIFFLAGS = 0x8913, SIOCSIFFLAGS = 0x8914, SIOCSIFMTU = 0x8922, SIOCSIFHWADDR = 0x8924,
        SIOCGIFINDEX = 0x8933, SIOCSIFTXQLEN = 0x8943;

    public const short IFF_UP = 1, IFF_TUN = 1, IFF_TAP = 2, IFF_MULTI_QUEUE = 0x100, IFF_NO_PI = 0x1000, IFF_VNET_HDR = 0x4000;
    public const ushort ARPHRD_ETHER = 1;
    public const nint TUN_F_CSUM = 1, TUN_F_TSO4 = 2, TUN_F_TSO6 = 4, TUN_F_USO4 = 0x20, TUN_F_USO6 = 0x40;

    [FieldOffset(0)] public fixed byte Name[NameSize];
    [FieldOffset(16)] public short Flags;
    [FieldOffset(16)] public int Value;

    /// <summary>struct sockaddr.</summary>
    [FieldOffset(16)] public fixed byte Address[16];

    public InterfaceRequest(string name)
    {
        fixed (byte* target = Name)
            Encoding.ASCII.GetBytes(name, new Span<byte>(target, NameSize - 1));
    }

    public readonly string NameText
    {
        get
        {
            fixed (byte* name = Name)
                return Marshal.PtrToStringUTF8((nint)name) ?? "";
        }
    }
}
