using System.Runtime.InteropServices;
using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO;

/// <summary>
/// Socket filters that bring an ESP packet to the lcore that its SPI names in the top byte (lcore index + 1): classic BPF, which needs no
/// privilege of its own.
/// </summary>
/// <remarks>
/// What names no lcore (keepalives, foreign SPIs, and IKE behind its marker of zeros where no control socket waits for it) goes to lcore 0,
/// where it is counted. Control threads.
/// </remarks>
public static unsafe class LcoreSteering
{
    /// <summary>Most lcores that the top byte of an SPI can name.</summary>
    public const int MaxLcores = 255;

    // Opcodes of classic BPF (linux/filter.h).
    private const ushort LoadByte = 0x30, LoadByteIndexed = 0x50, LoadIpHeaderLength = 0xB1;
    private const ushort JumpEqual = 0x15, JumpGreater = 0x25, JumpGreaterOrEqual = 0x35, Subtract = 0x14;
    private const ushort ReturnConstant = 0x06, ReturnAccumulator = 0x16, LoadHalf = 0x28, Modulo = 0x94;

    /// <summary>SKF_NET_OFF: offsets from here on are those of the IP header.</summary>
    private const uint NetworkHeader = 0xFFF0_0000;
    private const uint WholePacket = uint.MaxValue;

    /// <summary>
    /// Steers the datagrams of a SO_REUSEPORT group of UDP sockets: the socket that was bound as number n gets the SPIs of lcore n.
    /// </summary>
    /// <param name="udpSocket">Any socket of the group, after all of them were bound in the order of their lcores.</param>
    /// <param name="lcores">Sockets of lcores in the group.</param>
    /// <param name="controlSocket">
    /// Whether a further socket was bound behind those of the lcores: it gets what begins with a zero byte, which no SPI of an lcore does
    /// and the non-ESP marker of IKE does (RFC 3948 §2.2).
    /// </param>
    public static void AttachToGroup(int udpSocket, int lcores, bool controlSocket = false)
    {
        CheckLcores(lcores);
        Attach(udpSocket, Libc.SO_ATTACH_REUSEPORT_CBPF,
        [
            new(LoadByte, 0, 0, 0),                          // 0: A = first byte of the payload (an empty one ends here: socket 0)
            new(JumpEqual, 4, 0, 0),                         // 1: the non-ESP marker: to 6
            new(JumpGreater, 2, 0, (uint)lcores),            // 2: no lcore of ours: to 5
            new(Subtract, 0, 0, 1),                          // 3: lcore = top byte - 1
            new(ReturnAccumulator, 0, 0, 0),                 // 4
            new(ReturnConstant, 0, 0, 0),                    // 5: lcore 0
            new(ReturnConstant, 0, 0, controlSocket ? (uint)lcores : 0), // 6: the control socket, or lcore 0
        ]);
    }

    /// <summary>
    /// Steers the datagrams of a SO_REUSEPORT group of UDP sockets that carry DTLS: what is not protected yet (epoch 0: handshakes) goes to the socket
    /// bound behind those of the lcores, everything else by the sender's port to an lcore, always the same one of a client.
    /// </summary>
    /// <param name="udpSocket">Any socket of the group, after all of them were bound in the order of their lcores and the control socket last.</param>
    /// <param name="lcores">Sockets of lcores in the group.</param>
    /// <param name="ipVersion">4 or 6.</param>
    public static void AttachDtlsToGroup(int udpSocket, int lcores, int ipVersion)
    {
        CheckLcores(lcores);
        // Behind options of IPv4 it is another field, which tells clients apart as well.
        uint sourcePort = NetworkHeader + (ipVersion == 4 ? 20u : 40u);
        Attach(udpSocket, Libc.SO_ATTACH_REUSEPORT_CBPF,
        [
            new(LoadHalf, 0, 0, 3),                          // 0: A = the record's epoch (a shorter datagram ends here: socket 0)
            new(JumpEqual, 3, 0, 0),                         // 1: a handshake: to 5
            new(LoadHalf, 0, 0, sourcePort),                 // 2
            new(Modulo, 0, 0, (uint)lcores),                 // 3
            new(ReturnAccumulator, 0, 0, 0),                 // 4
            new(ReturnConstant, 0, 0, (uint)lcores),         // 5: the control socket
        ]);
    }

    /// <summary>Lets a raw ESP socket receive the SPIs of one lcore only: every raw socket is offered every packet.</summary>
    /// <param name="rawSocket">The lcore's socket.</param>
    /// <param name="lcore">The lcore's index.</param>
    /// <param name="lcores">How many lcores there are.</param>
    /// <param name="ipVersion">4 or 6: an IPv4 raw socket's packets begin with their IP header, an IPv6 one's do not.</param>
    public static void AttachToRawSocket(int rawSocket, int lcore, int lcores, int ipVersion)
    {
        CheckLcores(lcores);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)lcore, (uint)lcores);
        Filter load = ipVersion == 4 ? new(LoadByteIndexed, 0, 0, 0) : new(LoadByte, 0, 0, 0);
        Attach(rawSocket, Libc.SO_ATTACH_FILTER, lcore == 0
            ?
            [
                new(LoadIpHeaderLength, 0, 0, 0),            // 0: X = 4 * (first byte & 15), used for IPv4 only
                load,                                        // 1: A = top byte of the SPI
                new(JumpGreaterOrEqual, 0, 1, 2),            // 2: 0 and 1 are lcore 0's: to 4
                new(JumpGreater, 0, 1, (uint)lcores),        // 3: another lcore's: to 5; nobody's: to 4
                new(ReturnConstant, 0, 0, WholePacket),      // 4
                new(ReturnConstant, 0, 0, 0),                // 5
            ]
            :
            [
                new(LoadIpHeaderLength, 0, 0, 0),
                load,
                new(JumpEqual, 0, 1, (uint)lcore + 1),
                new(ReturnConstant, 0, 0, WholePacket),
                new(ReturnConstant, 0, 0, 0),
            ]);
    }

    private static void CheckLcores(int lcores)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lcores);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lcores, MaxLcores);
    }

    private static void Attach(int socket, int option, ReadOnlySpan<Filter> program)
    {
        // Sound: the kernel copies the program during the call, while it is pinned.
        fixed (Filter* instructions = program)
        {
            var description = new FilterProgram { Length = (ushort)program.Length, Instructions = instructions };
            if (Libc.SetSocketOption(socket, Libc.SOL_SOCKET, option, &description, (uint)sizeof(FilterProgram)) != 0)
                throw Errno.Failure("attaching the socket filter", "is the socket bound with SO_REUSEPORT, or a raw one?");
        }
    }

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Filter(ushort Code, byte JumpTrue, byte JumpFalse, uint Operand);

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FilterProgram
    {
        public ushort Length;
        public Filter* Instructions;
    }
}
