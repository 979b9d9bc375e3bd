using System.Globalization;
using System.Text.RegularExpressions;

namespace CryptoPlane.TestKit;

/// <summary>
/// strongSwan's IKE daemon in a namespace, with ESP in user space (kernel-libipsec): in UDP only, and without extended sequence numbers.
/// </summary>
public sealed partial class StrongSwan : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _place;
    private readonly string _swanctl;
    private ExternalProgram? _daemon;

    /// <summary>Starts the daemon and loads its configuration.</summary>
    /// <param name="place">Where.</param>
    /// <param name="configuration">swanctl.conf.</param>
    /// <param name="credentials">Writes certificates and keys into the folders x509, x509ca and private of a directory.</param>
    /// <param name="settings">Further settings of the section charon-systemd.</param>
    /// <param name="logsKeys">Whether it logs the keys of child SAs, for <see cref="ChildKeys"/>.</param>
    /// <param name="logsDrops">Whether it logs each packet of ESP that it drops.</param>
    public StrongSwan(NetworkNamespace place, string configuration, Action<string>? credentials = null, string settings = "", bool logsKeys = false, bool logsDrops = false)
    {
        _place = place;
        Program();
        Requirement.Tun();
        _swanctl = Requirement.Program("swanctl", "strongswan-swanctl");
        foreach (string folder in new[] { "x509", "x509ca", "private" })
            Directory.CreateDirectory(_directory.File(folder));
        credentials?.Invoke(_directory.Path);
        File.WriteAllText(_directory.File("strongswan.conf"), $$"""
            charon-systemd {
              load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 revocation constraints hmac sha2 kdf aes gcm kernel-libipsec kernel-netlink socket-default vici updown eap-identity eap-mschapv2 resolve
              plugins {
                vici {
                  socket = {{Vici}}
                }
                resolve {
                  file = {{_directory.File("resolv.conf")}}
                  resolvconf {
                    path = /nonexistent
                  }
                }
              }
              filelog {
                f {
                  path = {{_directory.File("log")}}
                  default = 1
                  chd = {{(logsKeys ? 4 : 1)}}
                  esp = {{(logsDrops ? 2 : 1)}}
                  flush_line = yes
                }
              }
              {{settings}}
            }
            """);
        File.WriteAllText(_directory.File("swanctl.conf"), configuration);
        Start();
    }

    /// <summary>What the daemon has logged, also before it was killed.</summary>
    public string Log => File.Exists(_directory.File("log")) ? File.ReadAllText(_directory.File("log")) : _daemon?.AllOutput ?? "";

    /// <summary>The name servers that it was given as a remote user's client, as resolv.conf has them.</summary>
    public string NameServers => File.Exists(_directory.File("resolv.conf")) ? File.ReadAllText(_directory.File("resolv.conf")) : "";

    private string Vici => $"unix://{_directory.File("vici")}";

    /// <summary>The daemon's program; the test is skipped without it, or without its ESP.</summary>
    public static string Program()
    {
        const string program = "/usr/sbin/charon-systemd", esp = "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so";
        Requirement.That(File.Exists(program) && File.Exists(esp),
            "strongSwan is missing: apt install charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins");
        return program;
    }

    /// <summary>Starts the daemon again, which has forgotten everything.</summary>
    public void Start()
    {
        _daemon = _place.Start(Program(), [], new Dictionary<string, string?>
        {
            ["STRONGSWAN_CONF"] = _directory.File("strongswan.conf"),
            ["SWANCTL_DIR"] = _directory.Path,
        });
        try
        {
            Eventually.True(() => TrySwanctl("--stats").ExitCode == 0, "strongSwan to answer");
            Swanctl("--load-all", "--file", _directory.File("swanctl.conf"));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Kills the daemon, which tells nobody.</summary>
    public void Kill()
    {
        _daemon!.Signal(ExternalProgram.SigKill);
        _daemon.WaitForExit();
        _daemon.Dispose();
        _daemon = null;
    }

    /// <summary>Runs a command of swanctl to its end.</summary>
    public ProgramResult TrySwanctl(params string[] arguments) =>
        _place.Run("/usr/bin/env", [$"SWANCTL_DIR={_directory.Path}", _swanctl, .. arguments, "--uri", Vici], timeout: TimeSpan.FromSeconds(60));

    /// <summary>Runs a command of swanctl, which must succeed.</summary>
    /// <returns>What it printed.</returns>
    public string Swanctl(params string[] arguments) => TrySwanctl(arguments).EnsureSuccess().Output;

    /// <summary>
    /// The keys of child SAs (key, then salt) that it has logged: the initiator's and the responder's of each, the oldest first.
    /// </summary>
    public IReadOnlyList<(string Initiator, string Responder)> ChildKeys()
    {
        List<string> initiator = [], responder = [];
        foreach (Match match in KeyDump().Matches(Log))
        {
            int size = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
            string hex = string.Concat(DumpLine().Matches(match.Groups[3].Value).Select(line => string.Concat(line.Groups[1].Value.Where(char.IsAsciiHexDigit))));
            (match.Groups[1].Value == "initiator" ? initiator : responder).Add(hex[..(2 * size)]);
        }
        return [.. initiator.Zip(responder)];
    }

    /// <summary>Ends the daemon, which tells its peers.</summary>
    public void Dispose()
    {
        if (_daemon is { HasExited: false })
        {
            _daemon.Signal(ExternalProgram.SigTerm);
            _daemon.WaitForExit();
        }
        _daemon?.Dispose();
        _directory.Dispose();
    }

    [GeneratedRegex(@"encryption (initiator|responder) key => (\d+) bytes @ \S+\n((?:.*\[CHD\] +\d+: .*\n)+)")]
    private static partial Regex KeyDump();

    [GeneratedRegex(@"\[CHD\] +\d+: ((?:[0-9A-F]{2} ){1,16})")]
    private static partial Regex DumpLine();
}
