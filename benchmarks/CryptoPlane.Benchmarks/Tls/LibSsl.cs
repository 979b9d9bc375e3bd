using System.Runtime.InteropServices;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>The peer libssl: a library of benchmarks/native, which eng/bench.sh builds where OpenSSL's headers are installed.</summary>
internal sealed unsafe class LibSsl
{
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int, nint> _new;
    private readonly delegate* unmanaged<nint, void> _free;
    private readonly delegate* unmanaged<nint, byte*, int, int> _handshake;
    private readonly delegate* unmanaged<nint, byte*, int> _connect;
    private readonly delegate* unmanaged<nint, byte*, nuint, int, int, int, int> _write;
    private readonly delegate* unmanaged<nint, int, int, int> _read;

    private LibSsl(nint library)
    {
        var version = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "peer_version");
        Version = Marshal.PtrToStringUTF8((nint)version()) ?? "";
        _new = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int, nint>)NativeLibrary.GetExport(library, "peer_tls_new");
        _free = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "peer_tls_free");
        _handshake = (delegate* unmanaged<nint, byte*, int, int>)NativeLibrary.GetExport(library, "peer_tls_handshake");
        _connect = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "peer_tls_connect");
        _write = (delegate* unmanaged<nint, byte*, nuint, int, int, int, int>)NativeLibrary.GetExport(library, "peer_tls_write");
        _read = (delegate* unmanaged<nint, int, int, int>)NativeLibrary.GetExport(library, "peer_tls_read");
    }

    /// <summary>Null where it was not built.</summary>
    public static LibSsl? Instance { get; } = TryLoad();

    public string Version { get; }

    /// <summary>A client and a server for one suite and X25519.</summary>
    /// <param name="suite">OpenSSL's name of the suite.</param>
    /// <param name="credentials">The server's certificate.</param>
    /// <param name="chain">Whether the client builds a chain to the root, or else knows the server's key.</param>
    /// <param name="tickets">Tickets of each connection.</param>
    public nint New(string suite, BenchmarkCredentials credentials, bool chain, int tickets)
    {
        fixed (byte* suiteText = Text(suite), group = Text("X25519"), certificate = Text(credentials.CertificatePem), key = Text(credentials.KeyPem),
            root = Text(credentials.RootPem))
        {
            nint peer = _new(suiteText, group, certificate, key, chain ? root : null, tickets);
            return peer != 0 ? peer : throw new InvalidOperationException($"libssl does not take {suite} and the benchmark's certificate.");
        }
    }

    public void Free(nint peer) => _free(peer);

    /// <summary>One handshake, and one byte behind it.</summary>
    public bool Handshake(nint peer, bool resume)
    {
        fixed (byte* name = s_name)
            return _handshake(peer, name, resume ? 1 : 0) == 1;
    }

    /// <summary>A connection that stays, for records.</summary>
    public bool Connect(nint peer)
    {
        fixed (byte* name = s_name)
            return _connect(peer, name) == 1;
    }

    public bool Write(nint peer, byte* contents, int stride, int buffers, int count, int length) =>
        _write(peer, contents, (nuint)stride, buffers, count, length) == 1;

    public bool Read(nint peer, int count, int length) => _read(peer, count, length) == 1;

    private static readonly byte[] s_name = Text(BenchmarkCredentials.ServerName);

    private static byte[] Text(string text) => [.. System.Text.Encoding.UTF8.GetBytes(text), 0];

    private static LibSsl? TryLoad()
    {
        const string file = "libpeer_libssl.so";
        string folder = Environment.GetEnvironmentVariable("CRYPTOPLANE_BENCH_PEERS") ?? AppContext.BaseDirectory;
        if (NativeLibrary.TryLoad(Path.Combine(folder, file), out nint library))
            return new LibSsl(library);
        Console.Error.WriteLine($"libssl is left out: there is no {file} in {folder} (eng/bench.sh builds it where OpenSSL's headers are installed)");
        return null;
    }
}
