using CryptoPlane.Dpdk;
using CryptoPlane.Dpdk.Lab;

// A process of its own for tests that need an EAL with other options, another user, or one that may die.
// usage: dpdk-lab COMMAND [NAME...] [--memory ordinary|huge|files] [--directory DIR] [--single-file] [--megabytes N] [--vdev DEVICE]...
//   aead DEVICE           seals and opens bursts on a crypto device
//   traffic FIRST SECOND  sends frames into each of two Ethernet ports and checks what comes out of the other, until standard input is closed
//   wire FIRST SECOND     lets what comes in at one of two Ethernet ports leave by the other, until standard input is closed
//   tunnel ROUTER GATEWAY ADDRESSES-AND-KEYS  is both neighbours of a broker, on two ports, with hosts behind them: see TunnelRun
// Exit code 0 where all went well, 1 with what CryptoPlane.Dpdk says on standard error.
try
{
    LabArguments arguments = LabArguments.Parse(args);
    Eal.Initialize(arguments.Eal);
    Console.WriteLine($"{Eal.Version} runs as user {Environment.UserName}");
    switch (arguments.Command)
    {
        case "aead":
            AeadRun.Run(arguments.Names[0]);
            break;
        case "traffic":
            TrafficRun.Run(arguments.Names[0], arguments.Names[1], new StandardInput());
            break;
        case "wire":
            WireRun.Run(arguments.Names[0], arguments.Names[1], new StandardInput());
            break;
        case "tunnel":
            TunnelRun.Run((arguments.Names[0], arguments.Names[1]), [.. arguments.Names.Skip(2)], new StandardInput());
            break;
        default:
            throw new ArgumentException($"'{arguments.Command}' is not a command.");
    }
    return 0;
}
catch (Exception e) when (e is DpdkException or ArgumentException or LabFailure)
{
    Console.Error.WriteLine($"{e.GetType().Name}: {e.Message}");
    return 1;
}
