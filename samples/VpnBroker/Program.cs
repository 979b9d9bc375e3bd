using VpnBroker.Cli;

var console = new CommandConsole(Console.In, Console.Out, Console.Error, !Console.IsInputRedirected);
return await new CommandLine(BrokerCommands.All).RunAsync(args, console);
