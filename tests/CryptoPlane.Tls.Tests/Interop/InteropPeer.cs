using System.Globalization;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>A TLS library that has no program of its own, in one of those in Interop/Peers.</summary>
public enum InteropPeer
{
    /// <summary>Java's SSLSocket.</summary>
    Java,

    /// <summary>Python's ssl module.</summary>
    Python,

    /// <summary>Go's crypto/tls.</summary>
    Go,

    /// <summary>wolfSSL, in C.</summary>
    WolfSsl,
}

/// <summary>How the peers are started.</summary>
internal static class InteropPeers
{
    /// <summary>For a virtual machine or a compiler that starts on a busy machine, and some dozens of handshakes.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    /// <summary>Bytes that each connection carries both ways: more than what Java updates its keys after.</summary>
    public const int Size = 100_000;

    /// <summary>Whether the peer updates its keys by itself, which Python and Go do not let a program do.</summary>
    public static bool UpdatesKeys(InteropPeer peer) => peer is InteropPeer.Java or InteropPeer.WolfSsl;

    /// <summary>The certificate that the peer shows as a client; Java, Go and wolfSSL have other limits than OpenSSL's.</summary>
    public static string ClientCertificate(InteropPeer peer) => peer switch
    {
        InteropPeer.Java => "rsa",
        InteropPeer.Go => "p384",
        InteropPeer.WolfSsl => "p256",
        _ => "ed25519",
    };

    public static ExternalProgram StartClient(InteropPeer peer, int port, int count, InteropFiles files) => Start(
        peer,
        files,
        "client",
        port.ToString(CultureInfo.InvariantCulture),
        count.ToString(CultureInfo.InvariantCulture),
        Size.ToString(CultureInfo.InvariantCulture),
        files.Root,
        files.CertificateOf(ClientCertificate(peer)),
        files.KeyOf(ClientCertificate(peer)));

    public static ExternalProgram StartServer(InteropPeer peer, int count, string certificate, InteropFiles files, out int port)
    {
        ExternalProgram program = Start(
            peer, files, "server", count.ToString(CultureInfo.InvariantCulture), files.CertificateOf(certificate), files.KeyOf(certificate), files.Root);
        program.WaitForOutput(".\n", Timeout);
        port = int.Parse(program.Output.Split(' ', '.')[1], CultureInfo.InvariantCulture);
        return program;
    }

    private static ExternalProgram Start(InteropPeer peer, InteropFiles files, params string[] arguments)
    {
        (string program, string[] first) = peer switch
        {
            InteropPeer.Java => (Requirement.Program("java", "default-jdk-headless"), (string[])[Source("TlsPeer.java")]),
            InteropPeer.Go => (Requirement.Program("go", "golang-go"), ["run", Source("tlspeer.go")]),
            InteropPeer.WolfSsl => (CompileWolfSslPeer(files.NewFile()), []),
            _ => (Requirement.Program("/usr/bin/python3", "python3"), [Source("tls_peer.py")]),
        };
        // Go wants a place for what it compiles, and the next run is quicker if it is there still.
        var environment = new Dictionary<string, string?> { ["GOCACHE"] = Path.Combine(Path.GetTempPath(), $"cryptoplane-go-{Environment.UserName}") };
        return ExternalProgram.Start(program, [.. first, .. arguments], environment);
    }

    /// <summary>Debian has wolfSSL's library and no program of it.</summary>
    private static string CompileWolfSslPeer(string program)
    {
        string gcc = Requirement.Program("gcc");
        Requirement.That(File.Exists("/usr/include/wolfssl/ssl.h"), "wolfSSL's headers are missing: install them with 'apt-get install libwolfssl-dev'");
        ExternalProgram.Run(gcc, ["-Wall", "-Wextra", "-Werror", "-O1", "-o", program, Source("wolfssl_peer.c"), "-lwolfssl"], timeout: Timeout).EnsureSuccess();
        return program;
    }

    private static string Source(string name) => RepositoryRoot.PathOf("tests", "CryptoPlane.Tls.Tests", "Interop", "Peers", name);
}
