using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using TlsWebServer;

if (args.Contains("--help") || args.Contains("-h"))
{
    Console.Write(ServerArguments.Help);
    return 0;
}
if (!ServerArguments.TryParse(args, out ServerArguments arguments, out string? problem))
{
    Console.Error.WriteLine($"tls-web-server: {problem} (see --help)");
    return 2;
}
await using WebApplication application = WebServer.Build(arguments);
await application.StartAsync();
Console.WriteLine($"https://{arguments.Address}:{WebServer.PortOf(application)}/ is served; Ctrl+C ends it.");
await application.WaitForShutdownAsync();
return 0;
