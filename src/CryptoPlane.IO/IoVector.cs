using System.Runtime.InteropServices;

namespace CryptoPlane.IO;

/// <summary>A piece of memory for a vectored system call (struct iovec).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IoVector
{
    /// <summary>First byte.</summary>
    public byte* Base;

    /// <summary>Bytes.</summary>
    public nuint Length;

    /// <summary>Names a piece of memory.</summary>
    public IoVector(byte* start, int length)
    {
        Base = start;
        Length = (nuint)length;
    }
}
