using System.Security.Cryptography;
using CryptoPlane.Ike;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>Where a peer's credentials are, and whether they can be used: read once to say so with a line number, and forgotten again.</summary>
internal static class IpsecCredentialFiles
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static IpsecCredentials? Read(ConfigMap map)
    {
        ConfigNode? psk = map.Find("pskFile"), certificate = map.Find("certificateFile"), key = map.Find("keyFile");
        IReadOnlyList<ConfigNode>? trust = map.Find("trustFiles")?.AsList();
        if ((psk is not null) == (certificate is not null || key is not null || trust is not null))
        {
            map.Fail("say how both sides authenticate: pskFile, or certificateFile, keyFile and trustFiles");
            return null;
        }
        if (psk is { } pskNode)
        {
            string? file = Secret(pskNode, "the pre-shared key");
            return file is not null && CheckPsk(pskNode, file) ? new IpsecCredentials { PskFile = file } : null;
        }
        if (certificate is not { } certificateNode || key is not { } keyNode || trust is not { Count: > 0 })
        {
            map.Fail("certificates need all of certificateFile, keyFile and trustFiles");
            return null;
        }
        var credentials = new IpsecCredentials
        {
            CertificateFile = certificateNode.AsPath(), KeyFile = Secret(keyNode, "the private key"), TrustFiles = [.. trust.Select(node => node.AsPath()).OfType<string>()],
        };
        if (credentials.CertificateFile is null || credentials.KeyFile is null || credentials.TrustFiles.Count != trust.Count)
            return null;
        return CheckCertificates(certificateNode, credentials) ? credentials : null;
    }

    /// <summary>The broker's own certificate towards users, and the roots of theirs, if any (<c>userTrustFiles</c>).</summary>
    /// <param name="map">Where the keys are.</param>
    /// <param name="localId">Who the certificate is to name.</param>
    public static IpsecCredentials? ReadOwn(ConfigMap map, IkeIdentity? localId)
    {
        ConfigNode? certificate = map.Require("certificateFile"), key = map.Require("keyFile");
        IReadOnlyList<ConfigNode> trust = map.Find("userTrustFiles")?.AsList() ?? [];
        if (certificate is not { } certificateNode || key is not { } keyNode)
            return null;
        var credentials = new IpsecCredentials
        {
            CertificateFile = certificateNode.AsPath(), KeyFile = Secret(keyNode, "the private key"), TrustFiles = [.. trust.Select(node => node.AsPath()).OfType<string>()],
        };
        if (credentials.CertificateFile is null || credentials.KeyFile is null || credentials.TrustFiles.Count != trust.Count)
            return null;
        return CheckCertificates(certificateNode, credentials, localId) ? credentials : null;
    }

    /// <summary>The path of a file that nobody else can read.</summary>
    private static string? Secret(ConfigNode node, string what)
    {
        if (node.AsPath() is not { } path)
            return null;
        try
        {
            if ((File.GetUnixFileMode(path) & Others) == 0)
                return path;
            node.Fail($"others can read or change {path}: chmod 600 it");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            node.Fail($"{what} cannot be read: {e.Message}");
        }
        return null;
    }

    private static bool CheckPsk(ConfigNode node, string file)
    {
        byte[]? secret = null;
        try
        {
            secret = Ipsec.PskFile.Read(file);
            if (secret.Length >= IkePresharedKey.MinSize)
                return true;
            node.Fail($"{file} has {secret.Length} bytes: a pre-shared key has at least {IkePresharedKey.MinSize} (make one with: openssl rand -base64 32)");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            node.Fail($"the pre-shared key cannot be read: {e.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
        return false;
    }

    private static bool CheckCertificates(ConfigNode node, IpsecCredentials credentials, IkeIdentity? localId = null)
    {
        try
        {
            using var files = Ipsec.CertificateFiles.Load(credentials);
            // Clients look for the name that they connect to, and for nothing else.
            if (localId is not { Type: IkeIdentityType.Fqdn } || files.Own.Certificate.MatchesHostname(localId.ToString(), allowWildcards: false, allowCommonName: false))
                return true;
            node.Fail($"the certificate does not name localId, {localId}, as a DNS name of its subjectAltName: clients would refuse it");
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            node.Fail($"the certificates cannot be used: {e.Message}");
            return false;
        }
    }
}
