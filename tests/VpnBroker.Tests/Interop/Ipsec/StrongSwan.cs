using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>
/// strongSwan's IKE daemon in a namespace, with ESP in user space (kernel-libipsec): in UDP only, and without extended sequence numbers.
/// </summary>
internal sealed class StrongSwan : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _place;
    private readonly ExternalProgram _daemon;
    private readonly string _swanctl;

    /// <summary>Starts the daemon and loads its configuration.</summary>
    /// <param name="place">Where.</param>
    /// <param name="configuration">swanctl.conf.</param>
    /// <param name="credentials">Writes certificates and keys into the folders x509, x509ca and private of a directory.</param>
    public StrongSwan(NetworkNamespace place, string configuration, Action<string>? credentials = null)
    {
        _place = place;
        foreach (string folder in new[] { "x509", "x509ca", "private" })
            Directory.CreateDirectory(_directory.File(folder));
        credentials?.Invoke(_directory.Path);
        _swanctl = Requirement.Program("swanctl", "strongswan-swanctl");
        Write("strongswan.conf", $$"""
            charon-systemd {
              load = random nonce openssl pem pkcs1 pkcs8 pubkey x509 constraints hmac sha2 kdf aes gcm kernel-libipsec kernel-netlink socket-default vici updown
              plugins {
                vici {
                  socket = unix://{{Socket}}
                }
              }
              filelog {
                f {
                  path = {{_directory.File("log")}}
                  default = 1
                  flush_line = yes
                }
              }
            }
            """);
        Write("swanctl.conf", configuration);
        _daemon = place.Start(Program(), [], new Dictionary<string, string?> { ["STRONGSWAN_CONF"] = _directory.File("strongswan.conf") });
        try
        {
            Eventually.True(() => File.Exists(Socket), "strongSwan's control socket");
            Swanctl("--load-all", "--file", _directory.File("swanctl.conf"));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the daemon has logged.</summary>
    public string Log => File.Exists(_directory.File("log")) ? File.ReadAllText(_directory.File("log")) : _daemon.AllOutput;

    private string Socket => _directory.File("vici");

    /// <summary>The daemon's program; the test is skipped without it.</summary>
    public static string Program()
    {
        const string program = "/usr/sbin/charon-systemd";
        Requirement.That(File.Exists(program), "strongSwan is missing: apt install charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins");
        return program;
    }

    /// <summary>Runs a command of swanctl, which must succeed.</summary>
    public string Swanctl(params string[] arguments) =>
        _place.Run("/usr/bin/env", [$"SWANCTL_DIR={_directory.Path}", _swanctl, .. arguments, "--uri", $"unix://{Socket}"], timeout: TimeSpan.FromSeconds(60)).EnsureSuccess().Output;

    /// <summary>Kills the daemon, which tells nobody.</summary>
    public void Kill()
    {
        _daemon.Signal(ExternalProgram.SigKill);
        _daemon.WaitForExit();
    }

    public void Dispose()
    {
        if (!_daemon.HasExited)
        {
            _daemon.Signal(ExternalProgram.SigTerm);
            _daemon.WaitForExit();
        }
        _daemon.Dispose();
        _directory.Dispose();
    }

    private void Write(string name, string text) => File.WriteAllText(_directory.File(name), text);
}
