using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Interop;

/// <summary>
/// OpenSSL 3's libcrypto, which .NET on Linux already needs. Each room that uses it declares what it calls in a partial of its own.
/// </summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto";

    // CA2255: a resolver has to be there before the first call into the library, whichever room makes it.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void RegisterResolver() =>
        NativeLibrary.SetDllImportResolver(typeof(LibCrypto).Assembly, Resolve);
#pragma warning restore CA2255

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library)
            return 0;
        // The versioned name is in the run-time package; the plain one only in the development package.
        return NativeLibrary.TryLoad("libcrypto.so.3", out nint handle) ? handle
            : throw new DllNotFoundException("libcrypto.so.3 (OpenSSL 3) is missing: install the package libssl3.");
    }
}
