using CryptoPlane.Ipfix.Export;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>A piece of a file on its way to the disk.</summary>
/// <param name="Index">Which of the writer's blocks of memory.</param>
/// <param name="Length">Bytes in it: whole messages, or whole lines.</param>
/// <param name="Messages">IPFIX messages in it.</param>
/// <param name="Flows">Flow records in it.</param>
/// <param name="Time">When it was begun: nanoseconds since 1970 (UTC).</param>
/// <param name="IsFirst">Whether a file begins with it.</param>
/// <param name="IsLast">Whether the file ends with it.</param>
internal readonly record struct FlowFilePiece(int Index, int Length, int Messages, FlowTotals Flows, long Time, bool IsFirst, bool IsLast)
{
    /// <summary>Bytes of a piece.</summary>
    public const int Size = 256 * 1024;
}
