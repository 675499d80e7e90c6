using System.Net;
using Bramble.Wire.Dns;

namespace Bramble.Manager.Configuration;

/// <summary>The cluster's names, and who is asked for those of others.</summary>
public sealed record DnsServiceOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Below "internal", which is kept for this (ICANN, July 2024): it will never be anybody's.</summary>
    public DnsName Zone { get; init; } = DnsName.Parse("bramble.internal");

    /// <summary>The zone as DHCP and files have it: without the last dot.</summary>
    public string Domain => Zone.ToString().TrimEnd('.');

    /// <summary>Upstream name servers, in this order.</summary>
    public IReadOnlyList<IPEndPoint> Forward { get; init; } = [];

    /// <summary>Whether those of this host's /etc/resolv.conf are asked as well, after the ones named.</summary>
    public bool ForwardToSystem { get; init; } = true;

    /// <summary>Addresses to answer at besides those on the boot networks.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [];

    /// <summary>Where running nodes give their metrics, for the SRV records.</summary>
    public int MetricsPort { get; init; } = 9100;
}

/// <summary>The way out for the boards of a network.</summary>
/// <param name="Uplink">The interface; null for that of the default route.</param>
public sealed record GatewayOptions(string? Uplink);
