using VpnBroker.Configuration.Parsing;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration;

/// <summary>Reads a configuration file into a checked snapshot: unknown keys, wrong types and contradictions are errors.</summary>
public static class ConfigLoader
{
    /// <summary>Reads and checks a file.</summary>
    /// <param name="file">The file's path; relative paths in the file are meant from its directory.</param>
    /// <exception cref="ConfigException">The file cannot be read, or something is wrong in it: all errors with their lines.</exception>
    public static BrokerConfig Load(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ConfigException([new ConfigError(file, 1, "", $"the file cannot be read: {e.Message}")]);
        }
        return Parse(file, text);
    }

    /// <summary>Checks a text as if it stood in a file.</summary>
    /// <inheritdoc cref="Load" path="/param|/exception"/>
    /// <param name="file">Path for messages and relative paths.</param>
    /// <param name="text">The YAML text.</param>
    public static BrokerConfig Parse(string file, string text)
    {
        var errors = new ConfigErrors(file);
        var root = new ConfigMap(YamlText.ReadMapping(file, text), "", errors);

        BrokerConfig config = ReadSections(root);
        root.RefuseUnknownKeys();
        errors.ThrowIfAny();

        ConfigChecks.Run(config, root, errors);
        errors.ThrowIfAny();
        return config;
    }

    /// <summary>What is allowed in a configuration, and yet hardly meant: sentences for the operator.</summary>
    public static IReadOnlyList<string> Warnings(BrokerConfig config) => PolicyChecks.Warnings(config);

    private static BrokerConfig ReadSections(ConfigMap root)
    {
        ListenConfig? listen = ServerSections.Listen(root);
        LcoreConfig lcores = DeviceSections.Lcores(root);
        IpsecConfig? ipsec = IpsecSection.Read(root);
        bool users = listen is not null || ipsec?.RemoteAccess is not null;
        ProfileConfig? defaults = ProfileSections.Defaults(root, required: users);
        return new BrokerConfig
        {
            Listen = listen,
            Dtls = ServerSections.Dtls(root),
            Certificate = ServerSections.Certificate(root, required: listen is not null),
            Authentication = ServerSections.Authentication(root, required: users),
            DefaultProfile = defaults,
            Groups = ProfileSections.Groups(root, defaults),
            Pools = ProfileSections.Pools(root),
            Limits = ServerSections.Limits(root),
            Lcores = lcores,
            Flows = FlowSection.Read(root),
            Dpdk = DpdkSection.Read(root),
            Tun = DeviceSections.Tun(root),
            Esp = EspSection.Read(root),
            Ipsec = ipsec,
            Policy = PolicySection.Read(root),
            Export = ExportSection.Read(root),
            Traffic = TrafficSection.Read(root),
            Control = ServerSections.Control(root),
            CaptureDecrypted = ServerSections.CaptureDecrypted(root),
            Metrics = MonitoringSections.Metrics(root),
            Web = MonitoringSections.Web(root),
            Log = ServerSections.Log(root),
        };
    }
}
