using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>IPsec peers as text: a line for each IKE SA, and one for each pair of ESP SAs.</summary>
internal static class IpsecText
{
    /// <summary>Writes the tables.</summary>
    public static void Write(StringBuilder text, IReadOnlyList<IpsecReport> sas)
    {
        var peers = new TextTable("ipsec peer", "state", "identity", "local", "remote", "began", "age", "rekey in", "algorithms");
        foreach (IpsecReport sa in sas)
        {
            peers.Add(sa.Peer ?? "-", sa.State, sa.Identity ?? "-", sa.Local ?? "-", sa.Remote ?? "any", sa.State == "down" ? "-" : sa.Initiator ? "we" : "peer",
                Seconds(sa.AgeSeconds), Seconds(sa.RekeySeconds), sa.Suite ?? "-");
        }
        peers.Write(text);
        var children = new TextTable("ipsec tunnel", "lcore", "spi in", "spi out", "age", "rekey in", "algorithms", "local", "remote");
        foreach (IpsecReport sa in sas)
        {
            foreach (IpsecChildReport child in sa.Children)
            {
                children.Add($"{sa.Peer}/{child.Name}{(child.Replaced ? " (replaced)" : "")}", $"{child.Lcore}{(child.OfLcore ? "" : "*")}", child.InboundSpi, child.OutboundSpi,
                    Seconds(child.AgeSeconds), Seconds(child.RekeySeconds), child.Suite, string.Join(' ', child.Local), string.Join(' ', child.Remote));
            }
        }
        if (!children.IsEmpty)
            children.Write(text.Append('\n'));
    }

    private static string Seconds(long? seconds) => seconds is { } value ? value.ToString(CultureInfo.InvariantCulture) + " s" : "-";
}
