using System.Globalization;
using System.Net;

namespace TlsWebServer;

/// <summary>What the command line says.</summary>
internal sealed record ServerArguments
{
    /// <summary>What --help prints.</summary>
    public const string Help = """
        usage: tls-web-server [--address ADDRESS] [--port PORT] [--certificate FILE --key FILE] [--verbose]

        A web server over CryptoPlane's TLS 1.3: HTTP/1.1, HTTP/2 and WebSockets by Kestrel. The page / shows what was negotiated.

          --address ADDRESS   where to listen (127.0.0.1)
          --port PORT         0 for one that is free (8443)
          --certificate FILE  PEM: the server's certificate, then its intermediates. Without it one for localhost is made, which nobody trusts
          --key FILE          PEM: its private key
          --verbose           log each handshake

          GET  /                  the page
          GET  /connection        the same as JSON
          GET  /download?bytes=N  N bytes
          POST /upload            how many bytes came, and their SHA-256
          GET  /echo              a WebSocket that says what it hears

          curl --insecure --http2 https://127.0.0.1:8443/connection

        """;

    /// <summary>Where to listen.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for one that is free.</summary>
    public int Port { get; init; } = 8443;

    /// <summary>A PEM file, or null.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>A PEM file, or null.</summary>
    public string? KeyFile { get; init; }

    /// <summary>Whether handshakes are logged.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>Reads a command line.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="arguments">What it says.</param>
    /// <param name="problem">What is wrong with it; null if nothing is.</param>
    public static bool TryParse(IReadOnlyList<string> args, out ServerArguments arguments, out string? problem)
    {
        arguments = new ServerArguments();
        problem = null;
        for (int i = 0; i < args.Count && problem is null; i++)
        {
            string option = args[i];
            if (option == "--verbose")
                arguments = arguments with { IsVerbose = true };
            else if (option is not ("--address" or "--port" or "--certificate" or "--key"))
                problem = $"unknown argument '{option}'";
            else if (++i == args.Count)
                problem = $"{option} needs a value";
            else if (arguments.With(option, args[i]) is { } next)
                arguments = next;
            else
                problem = $"'{args[i]}' is no value for {option}";
        }
        if (problem is null && arguments.CertificateFile is null != arguments.KeyFile is null)
            problem = "--certificate and --key belong together";
        return problem is null;
    }

    private ServerArguments? With(string option, string value) => option switch
    {
        "--address" => IPAddress.TryParse(value, out IPAddress? address) ? this with { Address = address } : null,
        "--port" => ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? this with { Port = port } : null,
        "--certificate" => this with { CertificateFile = value },
        _ => this with { KeyFile = value },
    };
}
