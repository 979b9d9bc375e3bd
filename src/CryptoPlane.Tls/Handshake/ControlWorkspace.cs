using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// What a control thread needs to open and seal one record at a time: an AEAD engine, a burst, a reader and a buffer. There is one per
/// thread, made at its first use and shared by every connection that is driven on it, so that a connection itself has no buffers.
/// </summary>
/// <remarks>
/// A connection may be driven by another thread at each call, since the keys of <see cref="AeadEngine.CreateDefault"/>'s backends are
/// not bound to an engine. Nothing stays in flight or in the buffer from one call to the next.
/// </remarks>
internal sealed unsafe class ControlWorkspace
{
    /// <summary>Most records that are opened or sealed at once.</summary>
    public const int RecordsPerBurst = 16;

    /// <summary>Bytes of <see cref="Plaintext"/>: two records of the largest size, or many small ones.</summary>
    public const int PlaintextSize = 2 * TlsRecordSizes.MaxRecord;

    /// <summary>Every record of a burst may have to be opened again behind a KeyUpdate.</summary>
    private const int BurstCapacity = 2 * RecordsPerBurst;

    [ThreadStatic]
    private static ControlWorkspace? t_current;

    private byte* _plaintext;

    private ControlWorkspace()
    {
        Engine = AeadEngine.CreateDefault();
        Burst = new AeadBurst(BurstCapacity);
        Reader = new TlsRecordReader(RecordsPerBurst);
        DtlsReader = new DtlsRecordReader(RecordsPerBurst);
        _plaintext = (byte*)NativeMemory.AlignedAlloc(PlaintextSize, 64);
    }

    /// <summary>Frees the native memory of a thread that has ended.</summary>
    ~ControlWorkspace()
    {
        NativeMemory.Clear(_plaintext, PlaintextSize);
        NativeMemory.AlignedFree(_plaintext);
        _plaintext = null;
        Reader.Dispose();
        DtlsReader.Dispose();
        Burst.Dispose();
        Engine.Dispose();
    }

    /// <summary>The calling thread's workspace.</summary>
    public static ControlWorkspace Current => t_current ??= new ControlWorkspace();

    public AeadEngine Engine { get; }

    public AeadBurst Burst { get; }

    public TlsRecordReader Reader { get; }

    public DtlsRecordReader DtlsReader { get; }

    /// <summary>Takes the content of opened records: <see cref="PlaintextSize"/> bytes, valid until the next ones.</summary>
    public byte* Plaintext => _plaintext;
}
