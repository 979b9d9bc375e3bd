using System.Net;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The sections <c>listen</c>, <c>dtls</c>, <c>certificate</c>, <c>authentication</c>, <c>limits</c>, <c>control</c>, <c>capture</c> and <c>log</c>.</summary>
internal static class ServerSections
{
    public static ListenConfig? Listen(ConfigMap root)
    {
        if (root.Find("listen") is not { } node)
            return null;
        IReadOnlyList<IPEndPoint> endpoints = root.List<IPEndPoint>("listen", NetworkValues.Endpoint) ?? [];
        if (endpoints.Count == 0)
            node.Fail("write at least one endpoint, such as 0.0.0.0:443, or leave the key out");
        foreach (IGrouping<IPEndPoint, IPEndPoint> same in endpoints.GroupBy(endpoint => endpoint).Where(group => group.Count() > 1))
            node.Fail($"{same.Key} is there twice: remove one");
        return new ListenConfig { Endpoints = endpoints };
    }

    public static DtlsConfig Dtls(ConfigMap root)
    {
        var standard = new DtlsConfig();
        if (root.Section("dtls") is not { } map)
            return standard;
        var config = new DtlsConfig
        {
            Enabled = map.Flag("enabled", standard.Enabled),
            Port = map.Find("port") is null ? null : map.Number("port", 0, 1, 65535),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    public static CertificateConfig? Certificate(ConfigMap root, bool required)
    {
        if ((required ? root.Require("certificate") : root.Find("certificate"))?.AsMap() is not { } map)
            return null;
        var config = new CertificateConfig
        {
            CertificateFile = map.Require("certificateFile")?.AsPath() ?? "",
            KeyFile = map.Require("keyFile")?.AsPath() ?? "",
            SelfSigned = map.Flag("selfSigned", otherwise: false),
            Names = map.List<string>("names", Text) ?? [],
        };
        if (config.SelfSigned && config.Names.Count == 0)
            map.Fail("a self-signed certificate needs names: [vpn.example.net]");
        map.RefuseUnknownKeys();
        return config;
    }

    public static AuthenticationConfig? Authentication(ConfigMap root, bool required)
    {
        if ((required ? root.Require("authentication") : root.Find("authentication"))?.AsMap() is not { } map)
            return null;
        var config = new AuthenticationConfig
        {
            UsersFile = map.Require("usersFile")?.AsPath() ?? "",
            IkeUsersFile = map.Find("ikeUsersFile")?.AsPath(),
            Certificates = UserCertificates(root, map),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    /// <summary>The key <c>authentication.certificates</c>.</summary>
    private static UserCertificateConfig? UserCertificates(ConfigMap root, ConfigMap authentication)
    {
        if (authentication.Section("certificates") is not { } map)
            return null;
        if (root.Find("listen") is null)
            map.Fail("certificates are for users of listen; those of IKEv2 have ipsec.remoteAccess.userTrustFiles");
        ConfigNode? trust = map.Require("trustFiles");
        var config = new UserCertificateConfig
        {
            TrustFiles = [.. (trust?.AsList() ?? []).Select(node => node.AsPath()).OfType<string>()],
            InsteadOfPassword = map.Require("use")?.AsChoice(("second-factor", false), ("instead-of-password", true)) ?? false,
        };
        if (trust is { } node && config.TrustFiles.Count == 0)
            node.Fail("name at least one PEM file with the roots of users' certificates");
        map.RefuseUnknownKeys();
        return config;
    }

    public static LimitsConfig Limits(ConfigMap root)
    {
        var standard = new LimitsConfig();
        if (root.Section("limits") is not { } map)
            return standard;
        var config = new LimitsConfig
        {
            HalfOpen = map.Number("halfOpen", standard.HalfOpen, 1, 1_000_000),
            HalfOpenPerAddress = map.Number("halfOpenPerAddress", standard.HalfOpenPerAddress, 1, 1_000_000),
            HeaderBytes = map.Number("headerBytes", standard.HeaderBytes, 1024, 65536),
            BodyBytes = map.Number("bodyBytes", standard.BodyBytes, 1024, 1_048_576),
            LoginSeconds = map.Seconds("loginTime", standard.LoginSeconds, neverAllowed: false, maximum: 3600),
            AttemptsPerAddress = map.Number("attemptsPerAddress", standard.AttemptsPerAddress, 1, 1000),
            AttemptsPerUser = map.Number("attemptsPerUser", standard.AttemptsPerUser, 1, 1_000_000),
            BackoffSeconds = map.Seconds("backoff", standard.BackoffSeconds, neverAllowed: false, maximum: 3600),
            Sessions = map.Number("sessions", standard.Sessions, 1, 1_000_000),
            SessionsPerUser = map.Number("sessionsPerUser", standard.SessionsPerUser, 1, 1_000_000),
            FlowsPerUser = map.Number("flowsPerUser", standard.FlowsPerUser, 1, 100_000_000),
            NewFlowsPerUser = map.Number("newFlowsPerUser", standard.NewFlowsPerUser, 1, 10_000_000),
            UnsentBytes = map.Number("unsentBytes", standard.UnsentBytes, 32768, 67_108_864),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    public static ControlConfig Control(ConfigMap root)
    {
        var standard = new ControlConfig();
        if (root.Section("control") is not { } map)
            return standard;
        var config = new ControlConfig { Socket = map.Find("socket")?.AsPath() ?? standard.Socket };
        map.RefuseUnknownKeys();
        return config;
    }

    /// <summary>The section <c>capture</c>: whether users' traffic may be shown.</summary>
    public static bool CaptureDecrypted(ConfigMap root)
    {
        if (root.Section("capture") is not { } map)
            return false;
        bool allowed = map.Find("decrypted")?.AsChoice(("refused", false), ("allowed", true)) ?? false;
        map.RefuseUnknownKeys();
        return allowed;
    }

    public static LogConfig Log(ConfigMap root)
    {
        var standard = new LogConfig();
        if (root.Section("log") is not { } map)
            return standard;
        var config = new LogConfig
        {
            AuditFile = map.Find("auditFile")?.AsPath(),
            Level = map.Find("level")?.AsChoice(
                ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error))
                ?? standard.Level,
            Json = map.Flag("json", standard.Json),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    private static bool Text(ConfigNode node, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value) =>
        (value = node.AsText()) is not null;
}
