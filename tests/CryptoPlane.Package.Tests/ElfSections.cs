using System.Buffers.Binary;
using System.Text;

namespace CryptoPlane.Package.Tests;

/// <summary>The sections of a 64-bit little-endian ELF file (System V ABI, "Object Files").</summary>
internal static class ElfSections
{
    /// <summary>The names of all sections.</summary>
    public static string[] Names(byte[] file)
    {
        Assert.True(file.AsSpan().StartsWith("\u007FELF\u0002\u0001"u8), "Not a 64-bit little-endian ELF file.");
        int table = (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(0x28));         // e_shoff
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3A));              // e_shentsize
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3C));             // e_shnum
        int nameSection = BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(0x3E));       // e_shstrndx
        int names = (int)BinaryPrimitives.ReadInt64LittleEndian(Header(nameSection)[0x18..]); // sh_offset
        return [.. Enumerable.Range(0, count).Select(index => NameAt(names + BinaryPrimitives.ReadInt32LittleEndian(Header(index))))];

        ReadOnlySpan<byte> Header(int index) => file.AsSpan(table + index * size, size);

        string NameAt(int offset) => Encoding.ASCII.GetString(file.AsSpan(offset, file.AsSpan(offset).IndexOf((byte)0)));
    }
}
