using System.Buffers;
using System.IO.Pipelines;
using CryptoPlane.Tls.Streams;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>What Kestrel reads requests from and writes answers to, instead of the transport.</summary>
internal sealed class TlsDuplexPipe(CryptoPlaneSslStream stream, MemoryPool<byte> pool) : IDuplexPipe
{
    /// <summary>Kestrel's blocks, as behind its own TLS; half of one is worth reading into. An idle connection holds none.</summary>
    private const int BlockSize = 4096;

    /// <inheritdoc/>
    public PipeReader Input { get; } = PipeReader.Create(
        stream, new StreamPipeReaderOptions(pool, BlockSize, BlockSize / 2, leaveOpen: true, useZeroByteReads: true));

    /// <summary>Each of the writer's segments becomes a write to the stream, so segments are as large as a record can be.</summary>
    public PipeWriter Output { get; } = PipeWriter.Create(
        stream, new StreamPipeWriterOptions(minimumBufferSize: TlsConnection.MaxPlaintextSize, leaveOpen: true));
}
