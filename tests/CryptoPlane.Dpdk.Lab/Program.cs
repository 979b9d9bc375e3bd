using CryptoPlane.Dpdk;
using CryptoPlane.Dpdk.Lab;

// A process of its own for tests that need an EAL with other options, another user, or one that may die.
// usage: dpdk-lab COMMAND [NAME...] [--memory ordinary|huge|files] [--directory DIR] [--single-file] [--megabytes N] [--vdev DEVICE]...
//   aead DEVICE   seals and opens bursts on a crypto device
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
