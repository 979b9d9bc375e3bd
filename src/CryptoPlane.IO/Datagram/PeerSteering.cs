using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO;

/// <summary>
/// A program of the kernel (eBPF) that brings datagrams of known peers to the lcore that has them: a hash table of addresses in the kernel, in front
/// of a SO_REUSEPORT group. For protocols whose datagrams name no lcore, such as DTLS.
/// </summary>
/// <remarks>Needs CAP_BPF, or CAP_SYS_ADMIN before Linux 5.8; without it <see cref="TryCreate"/> gives nothing. Control threads.</remarks>
public sealed unsafe class PeerSteering : IDisposable
{
    private const int KeySize = 24, ValueSize = 4;

    // bpf(2): commands, kinds, and the flag of an update that may make or change.
    private const int MapCreate = 0, MapUpdate = 2, MapDelete = 3, ProgramLoad = 5;
    private const uint HashMap = 1, SocketFilter = 1;

    private readonly int _map;

    private PeerSteering(int map) => _map = map;

    /// <summary>Makes an empty table.</summary>
    /// <param name="peers">Most peers.</param>
    /// <returns>Null where the kernel does not let this process.</returns>
    public static PeerSteering? TryCreate(int peers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(peers);
        var attributes = new MapAttributes { Type = HashMap, KeySize = KeySize, ValueSize = ValueSize, MaxEntries = (uint)peers };
        int map = Libc.Bpf(MapCreate, &attributes, (uint)sizeof(MapAttributes));
        return map < 0 ? null : new PeerSteering(map);
    }

    /// <summary>
    /// Steers a SO_REUSEPORT group of UDP sockets that carry DTLS: what is not protected yet (epoch 0) goes to the socket bound behind those of the
    /// lcores, what comes from a peer of the table to its lcore, and everything else to lcore 0.
    /// </summary>
    /// <param name="udpSocket">Any socket of the group, after all of them were bound in the order of their lcores and the control socket last.</param>
    /// <param name="lcores">Sockets of lcores in the group.</param>
    /// <param name="ipVersion">4 or 6.</param>
    /// <returns>False where the kernel does not take the program; nothing has changed then.</returns>
    public bool TryAttachDtlsToGroup(int udpSocket, int lcores, int ipVersion)
    {
        // Offsets from here on are those of the IP header (SKF_NET_OFF).
        const int network = -0x100000;
        bool ipv4 = ipVersion == 4;
        int address = network + (ipv4 ? 12 : 8), port = network + (ipv4 ? 20 : 40);
        var program = new List<Instruction>
        {
            Instruction.Move(6, 1),                              // R6 = the packet, where loads expect it
            Instruction.LoadPacket(Instruction.Half, 3),         // R0 = the record's epoch (a shorter datagram ends the program: socket 0)
            Instruction.JumpIfNotZero(0, 2),
            Instruction.MoveConstant(0, lcores),                 // a handshake: the control socket
            Instruction.Exit,
            Instruction.StoreZero(-24), Instruction.StoreZero(-16), Instruction.StoreZero(-8),
        };
        for (int word = 0; word < (ipv4 ? 1 : 4); word++)
        {
            program.Add(Instruction.LoadPacket(Instruction.Word, address + (4 * word)));
            program.Add(Instruction.Store(-24 + (4 * word)));
        }
        program.AddRange(
        [
            Instruction.LoadPacket(Instruction.Half, port), Instruction.Store(-8),
            Instruction.LoadMap(_map), default,                  // R1 = the table: an instruction of two
            Instruction.Move(2, 10), Instruction.AddConstant(2, -24), // R2 = the key, on the stack
            Instruction.Lookup,
            Instruction.JumpIfNotZero(0, 2),
            Instruction.MoveConstant(0, 0),                      // unknown: lcore 0
            Instruction.Exit,
            Instruction.LoadValue, Instruction.Exit,             // R0 = the lcore
        ]);
        int loaded = Load(CollectionsMarshal.AsSpan(program));
        if (loaded < 0)
            return false;
        bool attached = Libc.SetSocketOption(udpSocket, Libc.SOL_SOCKET, Libc.SO_ATTACH_REUSEPORT_EBPF, &loaded, sizeof(int)) == 0;
        // The group holds the program, and the program the table.
        _ = Libc.Close(loaded);
        return attached;
    }

    /// <summary>Enters a peer, or moves it to another lcore.</summary>
    /// <returns>False when the table is full.</returns>
    public bool TrySet(in PacketEndpoint peer, int lcore)
    {
        byte* key = stackalloc byte[KeySize];
        WriteKey(peer, key);
        uint value = (uint)lcore;
        var attributes = new ElementAttributes { Map = (uint)_map, Key = (ulong)key, Value = (ulong)&value };
        return Libc.Bpf(MapUpdate, &attributes, (uint)sizeof(ElementAttributes)) == 0;
    }

    /// <summary>Takes a peer out.</summary>
    public void Remove(in PacketEndpoint peer)
    {
        byte* key = stackalloc byte[KeySize];
        WriteKey(peer, key);
        var attributes = new ElementAttributes { Map = (uint)_map, Key = (ulong)key };
        _ = Libc.Bpf(MapDelete, &attributes, (uint)sizeof(ElementAttributes));
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Libc.Close(_map);

    /// <summary>The key as the program makes it: words of the address, then the port, as numbers.</summary>
    private static void WriteKey(in PacketEndpoint peer, byte* key)
    {
        new Span<byte>(key, KeySize).Clear();
        fixed (byte* address = peer.Address)
        {
            for (int word = 0; word < (peer.IpVersion == 4 ? 1 : 4); word++)
                ((uint*)key)[word] = BinaryPrimitives.ReverseEndianness(((uint*)address)[word]);
        }
        ((uint*)key)[4] = peer.Port;
    }

    private static int Load(ReadOnlySpan<Instruction> program)
    {
        ReadOnlySpan<byte> license = "Apache-2.0\0"u8;
        // Sound: the kernel copies program and license during the call, while they are pinned.
        fixed (Instruction* instructions = program)
        fixed (byte* text = license)
        {
            var attributes = new ProgramAttributes { Type = SocketFilter, Count = (uint)program.Length, Instructions = (ulong)instructions, License = (ulong)text };
            return Libc.Bpf(ProgramLoad, &attributes, (uint)sizeof(ProgramAttributes));
        }
    }

    /// <summary>struct bpf_insn.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(byte Code, byte Registers, short Offset, int Constant)
    {
        /// <summary>Sizes of loads from the packet.</summary>
        public const byte Word = 0x00, Half = 0x08;

        private const int StackPointer = 10, LookupFunction = 1, MapDescriptor = 1;

        public static Instruction Exit => new(0x95, 0, 0, 0);

        public static Instruction Lookup => new(0x85, 0, 0, LookupFunction);

        /// <summary>R0 = *(u32*)R0.</summary>
        public static Instruction LoadValue => new(0x61, 0, 0, 0);

        public static Instruction Move(int destination, int source) => new(0xBF, Pack(destination, source), 0, 0);

        public static Instruction MoveConstant(int destination, int value) => new(0xB7, Pack(destination, 0), 0, value);

        public static Instruction AddConstant(int destination, int value) => new(0x07, Pack(destination, 0), 0, value);

        public static Instruction JumpIfNotZero(int register, short over) => new(0x55, Pack(register, 0), over, 0);

        /// <summary>R0 = a number of the packet, in host order.</summary>
        public static Instruction LoadPacket(byte size, int offset) => new((byte)(0x20 | size), 0, 0, offset);

        /// <summary>Eight zero bytes on the stack.</summary>
        public static Instruction StoreZero(int offset) => new(0x7A, Pack(StackPointer, 0), (short)offset, 0);

        /// <summary>R0 to the stack, as four bytes.</summary>
        public static Instruction Store(int offset) => new(0x63, Pack(StackPointer, 0), (short)offset, 0);

        public static Instruction LoadMap(int map) => new(0x18, Pack(1, MapDescriptor), 0, map);

        private static byte Pack(int destination, int source) => (byte)(destination | (source << 4));
    }

    /// <summary>The beginning of union bpf_attr for BPF_MAP_CREATE.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MapAttributes
    {
        public uint Type;
        public uint KeySize;
        public uint ValueSize;
        public uint MaxEntries;
        public uint Flags;
    }

    /// <summary>The same for BPF_MAP_UPDATE_ELEM and BPF_MAP_DELETE_ELEM.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ElementAttributes
    {
        public uint Map;
        public ulong Key;
        public ulong Value;
        public ulong Flags;
    }

    /// <summary>The same for BPF_PROG_LOAD.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ProgramAttributes
    {
        public uint Type;
        public uint Count;
        public ulong Instructions;
        public ulong License;
        public uint LogLevel;
        public uint LogSize;
        public ulong Log;
        public uint KernelVersion;
        public uint Flags;
    }
}
