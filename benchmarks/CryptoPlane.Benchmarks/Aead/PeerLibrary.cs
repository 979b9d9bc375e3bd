using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>A peer in C: a library of benchmarks/native, with the functions of its peer.h.</summary>
internal sealed unsafe class PeerLibrary
{
    private readonly delegate* unmanaged<byte, int> _supports;
    private readonly delegate* unmanaged<byte, byte, byte*, nint> _newKey;
    private readonly delegate* unmanaged<nint, void> _freeKey;
    private readonly delegate* unmanaged<byte, byte, AeadOperation*, nuint, void> _run;

    private PeerLibrary(string name, nint library)
    {
        Name = name;
        var version = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "peer_version");
        Version = Marshal.PtrToStringUTF8((nint)version()) ?? "";
        _supports = (delegate* unmanaged<byte, int>)NativeLibrary.GetExport(library, "peer_supports");
        _newKey = (delegate* unmanaged<byte, byte, byte*, nint>)NativeLibrary.GetExport(library, "peer_new_key");
        _freeKey = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "peer_free_key");
        _run = (delegate* unmanaged<byte, byte, AeadOperation*, nuint, void>)NativeLibrary.GetExport(library, "peer_run");
    }

    public static PeerLibrary? IpsecMb { get; } = TryLoad("ipsec-mb", "libpeer_ipsec_mb.so");

    public static PeerLibrary? Evp { get; } = TryLoad("EVP", "libpeer_evp.so");

    public string Name { get; }

    public string Version { get; }

    public bool Supports(AeadAlgorithm algorithm) => _supports((byte)algorithm) != 0;

    public nint NewKey(AeadAlgorithm algorithm, AeadDirection direction, ReadOnlySpan<byte> key)
    {
        fixed (byte* raw = key)
            return _newKey((byte)algorithm, (byte)direction, raw);
    }

    public void FreeKey(nint key) => _freeKey(key);

    public void Run(AeadAlgorithm algorithm, AeadDirection direction, AeadOperation* operations, int count) =>
        _run((byte)algorithm, (byte)direction, operations, (nuint)count);

    /// <summary>eng/bench.sh builds the libraries and says by an environment variable where they are.</summary>
    private static PeerLibrary? TryLoad(string name, string file)
    {
        string folder = Environment.GetEnvironmentVariable("CRYPTOPLANE_BENCH_PEERS") ?? AppContext.BaseDirectory;
        if (NativeLibrary.TryLoad(Path.Combine(folder, file), out nint library))
            return new PeerLibrary(name, library);
        Console.Error.WriteLine($"{name} is left out: there is no {file} in {folder} (eng/bench.sh builds it where the headers are installed)");
        return null;
    }
}
