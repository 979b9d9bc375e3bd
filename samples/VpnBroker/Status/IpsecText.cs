using System.Globalization;
using System.Text;
using CryptoPlane.Ike;

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

    /// <summary>Writes in a line what became of those who began an IKE SA.</summary>
    public static void Write(StringBuilder text, IkeGateReport gate)
    {
        (long Count, string What)[] fates =
        [
            (gate.Accepted, "accepted"), (gate.AcceptedWithCookie, "accepted with a cookie"), (gate.Repeated, "repeated"), (gate.CookiesDemanded, "asked for a cookie"),
            (gate.CookiesRefused, "with a wrong cookie"), (gate.TooManyHalfOpen, "refused: too many half open"), (gate.TooManyFromAddress, "refused: too many of one address"),
            (gate.TooFast, "refused: too fast"), (gate.VersionsRefused, "of another version"), (gate.Malformed, "malformed"), (gate.Expired, "not finished in time"),
        ];
        text.Append(CultureInfo.InvariantCulture, $"\nIKE requests: {gate.HalfOpen} half open")
            .AppendJoin("", fates.Where(fate => fate.Count != 0).Select(fate => string.Create(CultureInfo.InvariantCulture, $", {fate.Count} {fate.What}"))).Append('\n');
    }

    private static string Seconds(long? seconds) => seconds is { } value ? value.ToString(CultureInfo.InvariantCulture) + " s" : "-";
}
