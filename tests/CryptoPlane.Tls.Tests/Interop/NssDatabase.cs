using System.Globalization;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>
/// The test certificates in databases of NSS, and how its programs are started; made once per test class. They are the programs that NSS
/// itself is tested with. Certificates of one name share a nickname in a database, so each has one of its own.
/// </summary>
public sealed class NssDatabase : IDisposable
{
    private const string Package = "libnss3-tools", Password = "interop";

    private readonly TemporaryDirectory _directory = new();

    public NssDatabase()
    {
        foreach (string name in InteropCases.Certificates)
        {
            Directory.CreateDirectory(_directory.File(name));
            Run("certutil", "-N", "-d", Database(name), "--empty-password");
            Run("certutil", "-A", "-d", Database(name), "-n", "root", "-t", "CT,C,", "-i", Files.Root);
            string container = Files.NewFile();
            ExternalProgram.Run(Requirement.Program("openssl"),
            [
                "pkcs12", "-export", "-in", Files.CertificateOf(name), "-inkey", Files.KeyOf(name), "-name", name, "-passout", "pass:" + Password,
                "-out", container,
            ]).EnsureSuccess();
            Run("pk12util", "-i", container, "-d", Database(name), "-W", Password, "-K", "");
        }
    }

    public InteropFiles Files { get; } = new();

    /// <summary>Starts <c>tstclnt</c>, which sends its input and prints what comes.</summary>
    /// <param name="port">Of the server.</param>
    /// <param name="groups">Its groups; it sends a share of the first.</param>
    /// <param name="certificate">Shown to servers that ask; null for none.</param>
    /// <param name="more">Further options.</param>
    public ExternalProgram StartClient(int port, TlsNamedGroup[] groups, string? certificate = null, params string[] more) =>
        ExternalProgram.Start(Requirement.Program("tstclnt", Package),
        [
            "-4", "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-a", InteropCases.ServerName, "-d", Database(certificate ?? "p256"),
            "-V", "tls1.3:tls1.3", "-I", Groups(groups), "-f", .. certificate is null ? (string[])[] : ["-n", certificate], .. more,
        ]);

    /// <summary>Starts <c>selfserv</c>, which answers each request with a page and a close; it makes tickets, and goes on until it is killed.</summary>
    public ExternalProgram StartServer(string certificate, out int port, params string[] more)
    {
        port = FreePort.Tcp();
        return ExternalProgram.Start(Requirement.Program("selfserv", Package),
        [
            "-n", certificate, "-p", port.ToString(CultureInfo.InvariantCulture), "-d", Database(certificate),
            "-V", "tls1.3:tls1.3", "-I", Groups(InteropCases.Groups), "-u", .. more,
        ]);
    }

    public void Dispose()
    {
        Files.Dispose();
        _directory.Dispose();
    }

    private string Database(string certificate) => "sql:" + _directory.File(certificate);

    private static string Groups(IEnumerable<TlsNamedGroup> groups) => string.Join(',', groups.Select(group => group switch
    {
        TlsNamedGroup.X25519 => "x25519",
        TlsNamedGroup.Secp256r1 => "P256",
        _ => "P384",
    }));

    private static void Run(string program, params string[] arguments) =>
        ExternalProgram.Run(Requirement.Program(program, Package), arguments).EnsureSuccess();
}
