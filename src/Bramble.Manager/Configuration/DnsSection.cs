using System.Globalization;
using System.Net;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Manager.Configuration;

/// <summary>The <c>dns:</c> section, and what follows from it for the networks.</summary>
internal static class DnsSection
{
    private const string System = "system";

    private const string UpstreamKind =
        "'system', or the address of a name server such as 192.168.1.1 or 192.168.1.1:5353";

    private const string ListenKind = "an address such as 127.0.0.2 or 127.0.0.2:5353";

    public static DnsServiceOptions Read(YamlSection section)
    {
        var defaults = new DnsServiceOptions();
        var forward = section.List<IPEndPoint?>("forward", TryUpstream, UpstreamKind);
        var dns = new DnsServiceOptions
        {
            Enabled = section.Flag("enabled", true),
            Zone = section.TryGet<DnsName>("zone", TryZone, "a domain such as bramble.internal", out var zone)
                ? zone : defaults.Zone,
            Forward = [.. forward.OfType<IPEndPoint>()],
            ForwardToSystem = !section.Has("forward") || forward.Contains(null),
            Listen = [.. section.List<IPEndPoint?>("listen", TryServer, ListenKind).OfType<IPEndPoint>()],
            MetricsPort = section.Number("metrics_port", defaults.MetricsPort, 1, 65535),
        };
        if (dns.Domain.EndsWith(".local", StringComparison.OrdinalIgnoreCase))
            section.FailAt("zone", $"'{dns.Domain}': names below 'local' are asked for by multicast (RFC 6762), and "
                + "would never reach us; take one below 'internal'");
        if (dns.Zone.IsWithin(DnsName.Parse("arpa")))
            section.FailAt("zone", $"'{dns.Domain}' is kept for addresses; take one below 'internal'");
        foreach (var at in dns.Listen)
            if (at.AddressFamily != global::System.Net.Sockets.AddressFamily.InterNetwork)
                section.FailAt("listen", $"{at} is not an IPv4 address");
        section.Close();
        return dns;
    }

    /// <summary>What only the whole file shows.</summary>
    public static void Check(BrambleOptions options, YamlSection root)
    {
        foreach (var upstream in options.Dns.Forward)
        {
            var address = IPv4Address.From(upstream.Address);
            if (upstream.Port == DnsMessage.Port && options.Networks.Any(n => n.Address.Address == address))
                root.Section("dns").FailAt("forward", $"{address} is our own address: questions would go in circles");
        }
    }

    /// <summary>
    /// Where we serve names, clients are told so, unless the file names other servers; where we are the way out, that.
    /// </summary>
    public static NetworkOptions Complete(NetworkOptions network, DnsServiceOptions dns)
    {
        var serves = network.ServesNames && dns.Enabled;
        network = network with
        {
            ServesNames = serves,
            Router = network.Router ?? (network.Gateway is null ? null : network.Address.Address),
        };
        return serves && network.Dns.Count == 0 ? network with
        {
            Dns = [network.Address.Address],
            Domain = network.Domain.Length > 0 ? network.Domain : dns.Domain,
        }
        : network;
    }

    private static bool TryZone(string text, out DnsName zone)
    {
        var sound = DnsName.TryParse(text, out var name) && !name.IsRoot && text.TrimEnd('.').Split('.').All(label =>
            label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && label[0] != '-' && label[^1] != '-');
        // Room for the longest name of a node, and of a service.
        zone = sound && name!.Octets.Length <= 180 ? name : DnsName.Root;
        return !zone.IsRoot;
    }

    private static bool TryUpstream(string text, out IPEndPoint? server)
    {
        server = null;
        return text == System || TryServer(text, out server);
    }

    private static bool TryServer(string text, out IPEndPoint? server)
    {
        server = null;
        var v6 = text.StartsWith('[') || text.Count(c => c == ':') > 1;
        if (v6)
        {
            if (!IPEndPoint.TryParse(text, out server)) return false;
            if (!text.StartsWith('[') || server.Port == 0) server.Port = DnsMessage.Port;
            return true;
        }
        var (address, port) = text.Split(':') is [var host, var number] ? (host, number) : (text, "53");
        if (!IPv4Address.TryParse(address, out var ip) || ip.IsAny
            || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var p) || p == 0)
            return false;
        server = new IPEndPoint(ip.ToIPAddress(), p);
        return true;
    }
}
