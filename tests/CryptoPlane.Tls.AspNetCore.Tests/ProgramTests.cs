using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.AspNetCore.Tests.Support;
using CryptoPlane.Tls.Tests.Support;
using TlsWebServer;
using VpnBroker.Tests.Web;

namespace CryptoPlane.Tls.AspNetCore.Tests;

/// <summary>Programs that we did not write against Kestrel with our TLS, and the sample as a program.</summary>
public sealed class ProgramTests
{
    public static TheoryData<string, string> CurlCases => new()
    {
        { "--http1.1", "TLS_AES_128_GCM_SHA256" },
        { "--http1.1", "TLS_AES_256_GCM_SHA384" },
        { "--http2", "TLS_CHACHA20_POLY1305_SHA256" },
        { "--http2", "TLS_AES_128_GCM_SHA256" },
    };

    [Theory]
    [MemberData(nameof(CurlCases))]
    public async Task Curl_loads_down_and_up(string version, string suite)
    {
        string curl = Requirement.Program("curl");
        await using TestServer server = await TestServer.StartAsync();
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("root.pem"), TestCertificates.Root.ExportCertificatePem(), TestServer.Token);
        byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
        await File.WriteAllBytesAsync(directory.File("data"), data, TestServer.Token);

        JsonElement report = JsonDocument.Parse(Curl("connection").Output).RootElement;
        Assert.Equal(version == "--http2" ? "HTTP/2" : "HTTP/1.1", report.GetProperty("http").GetString());
        Assert.Equal(suite, report.GetProperty("cipherSuite").GetString());
        Assert.Equal($"{data.Length} {Convert.ToHexStringLower(SHA256.HashData(data))}\n", Curl("upload", "--data-binary", "@" + directory.File("data")).Output);
        Curl("download?bytes=3000000", "--output", directory.File("got"));
        byte[] got = await File.ReadAllBytesAsync(directory.File("got"), TestServer.Token);
        Assert.Equal(3_000_000, got.Length);
        Assert.Equal(-1, Array.FindIndex(Enumerable.Range(0, got.Length).ToArray(), i => got[i] != Endpoints.DownloadByte(i)));
        Assert.Empty(server.Log.Complaints);

        ProgramResult Curl(string path, params string[] more) => ExternalProgram.Run(
            curl,
            [
                "--silent", "--show-error", "--fail", "--tlsv1.3", "--tls13-ciphers", suite, version, "--cacert", directory.File("root.pem"), "--header", "Expect:",
                "--resolve", string.Create(CultureInfo.InvariantCulture, $"{TestCertificates.ServerName}:{server.Port}:127.0.0.1"), .. more,
                new Uri(server.Address, path).ToString(),
            ],
            timeout: TimeSpan.FromSeconds(60)).EnsureSuccess();
    }

    [Fact]
    public async Task Chromium_shows_the_page_loads_and_opens_a_WebSocket()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var browser = new ChromeDriver("--ignore-certificate-errors");
        browser.Open(server.Address.ToString());
        string page = browser.Text("document.body.innerText");
        foreach (string text in (string[])["HTTP/2", "Tls13", "X25519MLKem768", TestCertificates.ServerName])
            Assert.Contains(text, page, StringComparison.Ordinal);

        // The page's policy lets it load nothing; a text's does.
        browser.Open(new Uri(server.Address, "connection").ToString());
        browser.Run("""
            window.result = 'waiting';
            (async () => {
              const sent = new Uint8Array(1000000).map((_, i) => i);
              const answers = await Promise.all(Array.from({ length: 10 }, () => fetch('/upload', { method: 'POST', body: sent }).then(r => r.text())));
              const socket = new WebSocket(`wss://${location.host}/echo`);
              await new Promise((done, fail) => { socket.onopen = done; socket.onerror = fail; });
              socket.send('hello');
              const heard = await new Promise(done => socket.onmessage = message => done(message.data));
              window.result = `${new Set(answers).size} ${answers[0].trim()} ${heard}`;
            })().catch(error => window.result = `failed: ${error}`);
            """);
        Eventually.True(() => browser.Text("window.result") != "waiting", "the script's end", TimeSpan.FromSeconds(60));
        byte[] sent = new byte[1_000_000];
        for (int i = 0; i < sent.Length; i++)
            sent[i] = (byte)i;
        Assert.Equal($"1 1000000 {Convert.ToHexStringLower(SHA256.HashData(sent))} hello", browser.Text("window.result"));
        Assert.Empty(server.Log.Complaints);
    }

    [Fact]
    public void The_sample_runs_with_the_certificate_of_its_command_line_and_ends_when_asked()
    {
        string curl = Requirement.Program("curl");
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("root.pem"), TestCertificates.Root.ExportCertificatePem());
        File.WriteAllText(directory.File("cert.pem"), TestCertificates.EcdsaP256.ExportCertificatePem());
        using ECDsa key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(TestCertificates.EcdsaP256)!;
        File.WriteAllText(directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem());

        using ExternalProgram sample = Start("--port", "0", "--certificate", directory.File("cert.pem"), "--key", directory.File("key.pem"));
        sample.WaitForOutput("Ctrl+C ends it");
        string address = sample.Output.Split('/', 4)[2];
        ProgramResult answer = ExternalProgram.Run(curl, ["--silent", "--show-error", "--cacert", directory.File("root.pem"), $"https://{address}/connection"]).EnsureSuccess();
        Assert.Contains("\"version\":\"Tls13\"", answer.Output, StringComparison.Ordinal);
        sample.Signal(ExternalProgram.SigTerm);
        Assert.Equal(0, sample.WaitForExit().ExitCode);
    }

    [Fact]
    public void The_sample_explains_itself_and_refuses_what_it_does_not_know()
    {
        using ExternalProgram help = Start("--help");
        Assert.Contains("usage: tls-web-server", help.WaitForExit().EnsureSuccess().Output, StringComparison.Ordinal);
        foreach (string[] wrong in (string[][])[["--nonsense"], ["--port"], ["--port", "70000"], ["--address", "here"], ["--key", "file"]])
        {
            Assert.False(ServerArguments.TryParse(wrong, out _, out string? problem));
            Assert.NotNull(problem);
        }
        using ExternalProgram refused = Start("--nonsense");
        ProgramResult result = refused.WaitForExit();
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("unknown argument '--nonsense'", result.Error, StringComparison.Ordinal);
    }

    private static ExternalProgram Start(params string[] arguments) =>
        ExternalProgram.Start(Path.Combine(AppContext.BaseDirectory, "tls-web-server"), arguments);
}
