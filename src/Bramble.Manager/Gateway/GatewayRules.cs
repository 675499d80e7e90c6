using System.Globalization;
using System.Text;
using Bramble.Wire;

namespace Bramble.Manager.Gateway;

/// <summary>One network's way out.</summary>
/// <param name="Interface">Where its boards are.</param>
/// <param name="Network">Their addresses.</param>
/// <param name="Uplink">Where it goes out.</param>
public sealed record GatewayPath(string Interface, IPv4Prefix Network, string Uplink);

/// <summary>Makes the rules for nft(8). Pure.</summary>
public static class GatewayRules
{
    public const string Table = "bramble_gateway";

    /// <summary>
    /// An uplink by PPPoE or a tunnel has a smaller MTU than the boards have, and the ICMP that says so gets lost.
    /// </summary>
    private const string FitToPath = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu";

    /// <summary>Removes the table, whether it is there or not.</summary>
    public static string Removal => $"""
        add table ip {Table}
        delete table ip {Table}

        """;

    /// <summary>
    /// The whole table anew, as one transaction: "add" and then "delete" makes it afresh, whether it was there or not.
    /// </summary>
    /// <param name="paths">At least one.</param>
    /// <param name="opened">
    /// Interfaces that did not forward before we made them: what we did not ask for stays as impossible as it was.
    /// </param>
    public static string Render(IReadOnlyCollection<GatewayPath> paths, IReadOnlyCollection<string> opened)
    {
        var rules = new StringBuilder(Removal);
        rules.Append(CultureInfo.InvariantCulture, $$"""
            table ip {{Table}} {
              chain forward {
                type filter hook forward priority filter; policy accept;

            """);
        foreach (var path in paths)
        {
            var network = $"{path.Network.Network}/{path.Network.Length}";
            var outwards = $"    iifname \"{path.Interface}\" oifname \"{path.Uplink}\"";
            var back = $"    iifname \"{path.Uplink}\" oifname \"{path.Interface}\"";
            rules.Append($"{outwards} {FitToPath}\n{back} {FitToPath}\n{outwards} ip saddr {network} accept\n"
                + $"{back} ip daddr {network} ct state established,related accept\n");
        }
        foreach (var face in opened.Order(StringComparer.Ordinal))
            rules.Append(CultureInfo.InvariantCulture, $"    iifname \"{face}\" drop\n");
        rules.Append("""
              }
              chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;

            """);
        foreach (var path in paths)
            rules.Append(CultureInfo.InvariantCulture,
                $"    ip saddr {path.Network.Network}/{path.Network.Length} oifname \"{path.Uplink}\" masquerade\n");
        rules.Append("  }\n}\n");
        return rules.ToString();
    }
}
