using System.Globalization;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.StrongSwan;

/// <summary>strongSwan's daemon in a network namespace, with ESP in user space (kernel-libipsec), controlled by swanctl.</summary>
internal sealed partial class Charon : IDisposable
{
    private readonly NetworkNamespace _space;
    private readonly string _directory, _swanctl;
    private readonly string _program;
    private ExternalProgram _daemon;

    /// <param name="space">Where it runs.</param>
    /// <param name="directory">For its files; certificates are in x509, x509ca and private below it, as swanctl wants them.</param>
    /// <param name="configuration">swanctl.conf.</param>
    /// <param name="settings">Further settings of the section charon-systemd.</param>
    public Charon(NetworkNamespace space, string directory, string configuration, string settings = "")
    {
        _space = space;
        _directory = directory;
        _program = Requirement.Program("/usr/sbin/charon-systemd", "charon-systemd");
        _swanctl = Requirement.Program("swanctl", "strongswan-swanctl");
        Requirement.That(File.Exists("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so"),
            "strongSwan's plugin kernel-libipsec is missing: install it with 'apt-get install libcharon-extra-plugins'");
        Requirement.Tun();
        File.WriteAllText(Path.Combine(directory, "strongswan.conf"), $$"""
            charon-systemd {
              load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 revocation constraints hmac sha2 kdf aes gcm kernel-libipsec kernel-netlink socket-default vici updown eap-identity eap-mschapv2
              plugins { vici { socket = {{Vici}} } }
              filelog { log { path = {{Log}}
                default = 1
                chd = 4
                flush_line = yes } }
              {{settings}}
            }
            """);
        File.WriteAllText(Path.Combine(directory, "swanctl.conf"), configuration);
        _daemon = Start();
    }

    private string Vici => $"unix://{Path.Combine(_directory, "charon.vici")}";

    private string Log => Path.Combine(_directory, "charon.log");

    /// <summary>Runs a command of swanctl to its end.</summary>
    public ProgramResult Swanctl(string command, params string[] arguments) =>
        ExternalProgram.Run(_swanctl, [command, .. arguments, "--uri", Vici], environment: new Dictionary<string, string?> { ["SWANCTL_DIR"] = _directory });

    /// <summary>Kills it and starts it again: it has forgotten everything.</summary>
    public void Restart()
    {
        _daemon.Dispose();
        _daemon = Start();
    }

    /// <summary>Everything that it has logged.</summary>
    public string ReadLog() => File.Exists(Log) ? File.ReadAllText(Log) : "";

    /// <summary>
    /// The keys of child SAs (key, then salt) that it has logged: the initiator's and the responder's of each, the oldest first.
    /// </summary>
    public List<(string Initiator, string Responder)> ChildKeys()
    {
        List<string> initiator = [], responder = [];
        foreach (Match match in KeyDump().Matches(ReadLog()))
        {
            int size = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            string hex = string.Concat(DumpLine().Matches(match.Groups[3].Value).Select(line => string.Concat(line.Groups[1].Value.Where(char.IsAsciiHexDigit))));
            (match.Groups[1].Value == "initiator" ? initiator : responder).Add(hex[..(2 * size)]);
        }
        return [.. initiator.Zip(responder)];
    }

    public void Dispose()
    {
        _daemon.Signal(ExternalProgram.SigTerm);
        _daemon.Dispose();
    }

    private ExternalProgram Start()
    {
        ExternalProgram daemon = _space.Start(_program, [], new Dictionary<string, string?>
        {
            ["STRONGSWAN_CONF"] = Path.Combine(_directory, "strongswan.conf"),
            ["SWANCTL_DIR"] = _directory,
        });
        Eventually.True(() => Swanctl("--stats").ExitCode == 0, "charon to answer");
        Swanctl("--load-all", "--file", Path.Combine(_directory, "swanctl.conf")).EnsureSuccess();
        return daemon;
    }

    [GeneratedRegex(@"encryption (initiator|responder) key => (\d+) bytes @ \S+\n((?:.*\[CHD\] +\d+: .*\n)+)")]
    private static partial Regex KeyDump();

    [GeneratedRegex(@"\[CHD\] +\d+: ((?:[0-9A-F]{2} ){1,16})")]
    private static partial Regex DumpLine();
}
