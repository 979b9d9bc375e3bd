using CryptoPlane.BogoShim;

// One run of BoringSSL's protocol test runner: connects to the runner as often as it is told, does a handshake, and gives application
// data back with every bit inverted. The flags are the runner's; see ShimFlags for those that are understood.
const int Failed = 1, NotImplemented = 89, MustNotHappen = 90;
try
{
    ShimFlags flags = ShimFlags.Parse(args);
    if (flags.Initial.AsksForHandshaker)
    {
        // There is no second process that takes the handshake over.
        Console.WriteLine("No");
        return 0;
    }
    using var run = new ShimRun(flags);
    run.Execute();
    return 0;
}
catch (NotImplementedFlagException e)
{
    Console.Error.WriteLine(e.Message);
    return NotImplemented;
}
catch (ShimFailureException e)
{
    // What the configuration's ErrorMap looks for: who is to blame, and the alert.
    Console.Error.WriteLine(e.Message);
    return Failed;
}
#pragma warning disable CA1031 // An exception of the engine's is never what a test expects: the runner counts this exit code as a failure in every case.
catch (Exception e)
#pragma warning restore CA1031
{
    Console.Error.WriteLine($"CRASH: {e}");
    return MustNotHappen;
}
