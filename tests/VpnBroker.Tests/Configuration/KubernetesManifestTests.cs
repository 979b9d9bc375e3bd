using System.Security.Cryptography;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using YamlDotNet.RepresentationModel;

namespace VpnBroker.Tests.Configuration;

/// <summary>The manifests of docs/kubernetes say what the broker understands and what Kubernetes's rules ask for.</summary>
public sealed class KubernetesManifestTests : IDisposable
{
    private readonly TemporaryDirectory _keys = new();

    [Theory]
    [InlineData("broker.yaml", true)]
    [InlineData("vhost.yaml", false)]
    public void The_broker_understands_its_configuration(string file, bool hugePages)
    {
        string text = Scalar(Find(Documents(file), "ConfigMap"), "data", "broker.yaml");
        foreach (string name in new[] { "in-0", "out-0", "in-1", "out-1", "in-2", "out-2" })
        {
            File.WriteAllText(_keys.File(name), Convert.ToHexString(RandomNumberGenerator.GetBytes(20)));
            // The mode of the manifests' secrets.
            File.SetUnixFileMode(_keys.File(name), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        }
        // What the container's command replaces.
        text = text.Replace("/etc/cryptoplane/keys", _keys.Path, StringComparison.Ordinal).Replace("@OUTSIDE@", "0000:3b:02.0", StringComparison.Ordinal)
            .Replace("@INSIDE@", "0000:3b:0a.0", StringComparison.Ordinal).Replace("@QAT@", "0000:3d:01.0", StringComparison.Ordinal);
        BrokerConfig config = ConfigText.Parse(text);
        Assert.Equal(hugePages, config.Dpdk!.HugePages);
        Assert.Equal(["wan", "lan"], config.Dpdk.Ports.Select(port => port.Name));
        Assert.Equal(config.Lcores.Count, config.Esp!.Tunnels.Single().Pairs.Count);
    }

    [Theory]
    [InlineData("broker.yaml")]
    [InlineData("vhost.yaml")]
    public void A_pod_has_whole_cpus_of_its_own_and_no_more_rights_than_it_needs(string file)
    {
        List<YamlMappingNode> documents = Documents(file);
        var pod = (YamlMappingNode)Find(documents, "StatefulSet")["spec"]["template"]["spec"];
        var container = (YamlMappingNode)pod["containers"][0];

        // Guaranteed quality of service: the static CPU manager gives CPUs to such pods only.
        Assert.Equal(container["resources"]["requests"], container["resources"]["limits"]);
        int cpus = int.Parse(Scalar(container, "resources", "limits", "cpu"), System.Globalization.CultureInfo.InvariantCulture);
        string broker = Scalar(Find(documents, "ConfigMap"), "data", "broker.yaml");
        Assert.Contains($"lcores: {{ count: {cpus - 1},", broker, StringComparison.Ordinal);

        Assert.Equal("true", Scalar(pod, "securityContext", "runAsNonRoot"));
        Assert.Equal("true", Scalar(container, "securityContext", "readOnlyRootFilesystem"));
        var capabilities = (YamlMappingNode)container["securityContext"]["capabilities"];
        Assert.Equal("ALL", capabilities["drop"][0].ToString());
        Assert.Equal(file == "broker.yaml", capabilities.Children.ContainsKey("add"));

        IEnumerable<string> volumes = ((YamlSequenceNode)pod["volumes"]).Select(volume => volume["name"].ToString()).Append("state");
        Assert.Equal(volumes.Order(), ((YamlSequenceNode)container["volumeMounts"]).Select(mount => mount["name"].ToString()).Order());
    }

    public void Dispose() => _keys.Dispose();

    private static List<YamlMappingNode> Documents(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(RepositoryRoot.PathOf("docs", "kubernetes", file));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    private static YamlMappingNode Find(List<YamlMappingNode> documents, string kind) => documents.Single(document => document["kind"].ToString() == kind);

    private static string Scalar(YamlNode node, params string[] path) => path.Aggregate(node, (at, key) => at[key]).ToString();
}
