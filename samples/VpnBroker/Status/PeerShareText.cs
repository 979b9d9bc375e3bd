using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The table of peers that share prefixes.</summary>
internal static class PeerShareText
{
    public static void Write(StringBuilder text, IReadOnlyList<PeerShareReport> shares)
    {
        var table = new TextTable("shared by", "weight", "of new flows", "prefixes");
        foreach (PeerShareReport share in shares)
        {
            table.Add(share.Tunnel, share.Weight.ToString(CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"{100 * share.Share:F1}%"),
                string.Join(' ', share.Prefixes));
        }
        table.Write(text);
    }
}
