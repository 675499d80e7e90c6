using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Lays the operator's options over the usual ones: those of the network first, then of each class that the client
/// belongs to, the last listed first, then the node's own, so that what is more particular stands in the end.
/// </summary>
internal static class ConfiguredOptions
{
    public static void Add(DhcpOptions options, in DhcpQuestion q, bool isPiBoot)
    {
        Lay(options, q, q.Network.Options, isPiBoot);
        for (var i = q.Network.Classes.Count - 1; i >= 0; i--)
        {
            var one = q.Network.Classes[i];
            if (!one.Match.Matches(q.Packet)) continue;
            q.Trace?.Note($"member of class {one.Name}");
            Lay(options, q, one.Options, isPiBoot);
        }
        if (q.Plan.Options is { } own) Lay(options, q, own, isPiBoot);
    }

    private static void Lay(DhcpOptions options, in DhcpQuestion q, DhcpOptionSet set, bool isPiBoot)
    {
        if (set.Options.IsEmpty) return;
        var all = !q.Packet.Options.TryGet(DhcpOption.ParameterRequestList, out var asked);
        foreach (var rule in set.Options)
        {
            // Without these, as they are, a Pi's firmware does not boot: what is meant for others must not reach it.
            if (isPiBoot && rule.Option is DhcpOption.VendorSpecific or DhcpOption.VendorClass
                or DhcpOption.TftpServerName)
                continue;
            if (rule.Omit)
            {
                if (options.Remove(rule.Option)) q.Trace?.Note($"{set.Rule}: without option {(int)rule.Option}");
            }
            // What is there already, asked for or not, is replaced: the more particular rule knows better.
            else if (rule.Always || all || asked.Contains((byte)rule.Option) || options.Contains(rule.Option))
            {
                options.Set(rule.Option, rule.Value.Span);
                q.Trace?.Rule(rule.Option, rule.Always ? $"{set.Rule}; always" : set.Rule);
            }
        }
    }
}
