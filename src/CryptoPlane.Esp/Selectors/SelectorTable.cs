using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp.Selectors;

/// <summary>
/// The selectors of one SA in native memory, each list compared entry by entry: for what a <see cref="SelectorLine"/> cannot say, and
/// for owners who ask which SA a packet may take.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = HeaderSize)]
internal unsafe struct SelectorTable
{
    private const int HeaderSize = 16;
    private const nuint Alignment = 64;

    private int _remote, _local;

    /// <summary>Makes a table, on a control thread; <see cref="Free"/> frees it.</summary>
    public static SelectorTable* Create(IReadOnlyList<EspSelector> remote, IReadOnlyList<EspSelector> local)
    {
        nuint bytes = HeaderSize + ((nuint)(remote.Count + local.Count) * (nuint)sizeof(SelectorEntry));
        var table = (SelectorTable*)NativeMemory.AlignedAlloc(bytes, Alignment);
        table->_remote = remote.Count;
        table->_local = local.Count;
        SelectorEntry* entry = Entries(table);
        foreach (EspSelector selector in remote)
            *entry++ = SelectorEntry.From(selector);
        foreach (EspSelector selector in local)
            *entry++ = SelectorEntry.From(selector);
        return table;
    }

    /// <summary>Frees a table; null does nothing.</summary>
    public static void Free(SelectorTable* table) => NativeMemory.AlignedFree(table);

    /// <summary>Whether a measured packet from the remote end to the local one is carried.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool AdmitsInbound(SelectorTable* table, byte* packet, int length)
    {
        InnerFields.Read(packet, length, out InnerFields fields);
        SelectorEntry* remote = Entries(table);
        return AnySource(remote, table->_remote, in fields) && AnyDestination(remote + table->_remote, table->_local, in fields);
    }

    /// <summary>Whether a measured packet from the local end to the remote one is carried.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool AdmitsOutbound(SelectorTable* table, byte* packet, int length)
    {
        InnerFields.Read(packet, length, out InnerFields fields);
        SelectorEntry* remote = Entries(table);
        return AnySource(remote + table->_remote, table->_local, in fields) && AnyDestination(remote, table->_remote, in fields);
    }

    // Sound: a table is allocated with its entries right behind it.
    private static SelectorEntry* Entries(SelectorTable* table) => (SelectorEntry*)((byte*)table + HeaderSize);

    /// <summary>An end without selectors takes every address.</summary>
    private static bool AnySource(SelectorEntry* entries, int count, in InnerFields fields)
    {
        for (int i = 0; i < count; i++)
        {
            if (entries[i].MatchesSource(in fields))
                return true;
        }
        return count == 0;
    }

    private static bool AnyDestination(SelectorEntry* entries, int count, in InnerFields fields)
    {
        for (int i = 0; i < count; i++)
        {
            if (entries[i].MatchesDestination(in fields))
                return true;
        }
        return count == 0;
    }
}
