using System.Reflection;

namespace VpnBroker.Web;

/// <summary>The page's files, which are parts of the assembly.</summary>
internal static class WebFiles
{
    private const string Prefix = "web/";

    /// <summary>All of them, by path: <c>/app.js</c>; the page itself is <c>/</c>.</summary>
    public static IReadOnlyDictionary<string, HttpPage> Load()
    {
        Assembly assembly = typeof(WebFiles).Assembly;
        var pages = new Dictionary<string, HttpPage>(StringComparer.Ordinal);
        foreach (string resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using Stream stream = assembly.GetManifestResourceStream(resource)!;
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            string name = resource[Prefix.Length..];
            string type = TypeOf(name);
            pages[name == "index.html" ? "/" : "/" + name] = context => HttpEndpoint.SendAsync(context, type, bytes);
        }
        return pages;
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        string other => throw new InvalidOperationException($"There is no media type for files that end with {other}."),
    };
}
