using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Web;

/// <summary>Headless Chromium, by WebDriver's protocol (W3C) and chromedriver.</summary>
internal sealed class ChromeDriver : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ExternalProgram _program;
    private readonly HttpClient _client;
    private readonly string _session;

    /// <summary>Starts both.</summary>
    /// <param name="arguments">For Chromium, besides those that every test needs.</param>
    public ChromeDriver(params string[] arguments)
    {
        string chromium = Requirement.Program("chromium");
        string driver = Requirement.Program("chromedriver", "chromium-driver");
        int port = FreePort.Tcp();
        _program = ExternalProgram.Start(driver, [$"--port={port}"], new Dictionary<string, string?> { ["HOME"] = _directory.Path });
        _program.WaitForOutput("started successfully");
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromSeconds(60) };
        var options = new JsonObject
        {
            ["binary"] = chromium,
            // As root there is no sandbox; names of .example lead here, as a stranger's could.
            ["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument)), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1400,1200",
                $"--user-data-dir={_directory.File("profile")}", "--host-resolver-rules=MAP *.example 127.0.0.1", "--no-proxy-server"]),
        };
        var capabilities = new JsonObject { ["browserName"] = "chrome", ["goog:chromeOptions"] = options, ["goog:loggingPrefs"] = new JsonObject { ["browser"] = "ALL" } };
        JsonElement answer = Post("session", new JsonObject { ["capabilities"] = new JsonObject { ["alwaysMatch"] = capabilities } });
        _session = $"session/{answer.GetProperty("sessionId").GetString()}";
    }

    /// <summary>Opens a page and waits until it is loaded.</summary>
    public void Open(string url) => Post($"{_session}/url", new JsonObject { ["url"] = url });

    /// <summary>Runs the body of a function in the page.</summary>
    public JsonElement Run(string script) => Post($"{_session}/execute/sync", new JsonObject { ["script"] = script, ["args"] = new JsonArray() });

    /// <summary>The value of an expression as a text.</summary>
    public string Text(string expression) => Run($"return String({expression})").GetString()!;

    /// <summary>What the console has been told since the last call: errors, and violations of the content security policy.</summary>
    public IReadOnlyList<string> Console() =>
        [.. Post($"{_session}/se/log", new JsonObject { ["type"] = "browser" }).EnumerateArray().Select(entry => entry.GetProperty("message").GetString()!)];

    public void Dispose()
    {
        _client.DeleteAsync(new Uri(_session, UriKind.Relative)).GetAwaiter().GetResult().Dispose();
        _client.Dispose();
        _program.Dispose();
        _directory.Dispose();
    }

    private JsonElement Post(string path, JsonObject body)
    {
        // With its length: chromedriver does not take chunks.
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = _client.PostAsync(new Uri(path, UriKind.Relative), content).GetAwaiter().GetResult();
        string text = response.Content.ReadAsStringAsync().GetAwaiter().GetResult();
        return response.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement.GetProperty("value")
            : throw new InvalidOperationException($"{path}: {text}");
    }
}
