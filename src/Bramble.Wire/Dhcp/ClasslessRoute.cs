namespace Bramble.Wire.Dhcp;

/// <summary>
/// One route of option 121 (RFC 3442): the length of the prefix, as many of its octets as that needs, the router. A
/// router of 0.0.0.0 means that the network is on the link.
/// </summary>
public readonly record struct ClasslessRoute(IPv4Prefix Destination, IPv4Address Router)
{
    /// <summary><c>10.1.0.0/16 via 10.0.0.254</c>, <c>default via 10.0.0.1</c>.</summary>
    public static bool TryParse(string text, out ClasslessRoute route)
    {
        route = default;
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words is not [var to, "via", var by]) return false;
        var destination = new IPv4Prefix(IPv4Address.Any, 0);
        if (to != "default" && !IPv4Prefix.TryParse(to, out destination)) return false;
        // Host bits would be lost on the way: whoever wrote them meant something else.
        if (destination.Address != destination.Network || !IPv4Address.TryParse(by, out var router)) return false;
        route = new ClasslessRoute(destination, router);
        return true;
    }

    public static bool TryRead(
        ReadOnlySpan<byte> octets, out IReadOnlyList<ClasslessRoute> routes, out WireError error)
    {
        var list = new List<ClasslessRoute>();
        routes = list;
        error = default;
        Span<byte> network = stackalloc byte[IPv4Address.Size];
        for (var at = 0; at < octets.Length;)
        {
            int length = octets[at];
            var significant = (length + 7) / 8;
            if (length > 32 || at + 1 + significant + IPv4Address.Size > octets.Length)
            {
                error = new WireError("a route runs out of option 121", at);
                return false;
            }
            network.Clear();
            octets.Slice(at + 1, significant).CopyTo(network);
            list.Add(new ClasslessRoute(new IPv4Prefix(IPv4Address.Read(network), length),
                IPv4Address.Read(octets[(at + 1 + significant)..])));
            at += 1 + significant + IPv4Address.Size;
        }
        return true;
    }

    public override string ToString() => $"{Destination} via {Router}";

    internal bool AppendTo(List<byte> octets)
    {
        Span<byte> address = stackalloc byte[IPv4Address.Size];
        Destination.Network.Write(address);
        octets.Add((byte)Destination.Length);
        octets.AddRange(address[..((Destination.Length + 7) / 8)]);
        Router.Write(address);
        octets.AddRange(address);
        return true;
    }
}
