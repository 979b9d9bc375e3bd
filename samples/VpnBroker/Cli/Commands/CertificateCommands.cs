using VpnBroker.Certificates;
using VpnBroker.Configuration;

namespace VpnBroker.Cli.Commands;

/// <summary><c>broker certificate …</c></summary>
internal static class CertificateCommands
{
    public static Task<int> ShowAsync(Invocation invocation) => CommandErrors.GuardAsync(invocation, () =>
    {
        BrokerConfig config = CommandErrors.LoadConfig(invocation);
        if (config.Certificate is not { } files)
            throw new ServerCertificateException("the configuration has no certificate section: it has no users to serve");
        using ServerCertificate certificate = ServerCertificate.Load(files, TimeProvider.System);
        if (certificate.Created)
            invocation.Console.Error.WriteLine($"made {files.CertificateFile} and {files.KeyFile}");
        invocation.Console.Out.WriteLine(certificate.Pin);
        return ExitCode.Ok;
    });
}
