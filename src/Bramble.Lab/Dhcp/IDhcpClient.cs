using Bramble.Lab.Network;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>What a board got from a DHCP server.</summary>
internal sealed record DhcpLease
{
    public required IPv4Address Address { get; init; }

    public required IPv4Address Mask { get; init; }

    /// <summary>Option 54.</summary>
    public required IPv4Address Server { get; init; }

    public required MacAddress ServerMac { get; init; }

    /// <summary>Where a boot ROM fetches its files.</summary>
    public IPv4Address TftpServer { get; init; }

    /// <summary>The field siaddr.</summary>
    public IPv4Address NextServer { get; init; }

    public IPv4Address Router { get; init; }

    public IPv4Address TimeServer { get; init; }

    public string HostName { get; init; } = "";

    public TimeSpan Duration { get; init; }

    /// <summary>Time since power-on at which the message was sent that was answered.</summary>
    public TimeSpan AskedAt { get; init; }

    /// <summary>Time since power-on of the answer.</summary>
    public TimeSpan GrantedAt { get; init; }

    public static DhcpLease Read(DhcpArrival arrival, TimeSpan askedAt, TimeSpan now)
    {
        var options = arrival.Packet.Options;
        options.TryGetAddress(DhcpOption.SubnetMask, out var mask);
        if (!options.TryGetAddress(DhcpOption.ServerIdentifier, out var server)) server = arrival.Source;
        options.TryGetUInt32(DhcpOption.LeaseTime, out var seconds);
        return new DhcpLease
        {
            Address = arrival.Packet.YourAddress,
            Mask = mask,
            Server = server,
            ServerMac = arrival.SourceMac,
            NextServer = arrival.Packet.NextServer,
            Router = First(options, DhcpOption.Router),
            TimeServer = First(options, DhcpOption.NtpServers),
            HostName = options.TryGetText(DhcpOption.HostName, out var name) ? name : "",
            Duration = TimeSpan.FromSeconds(seconds),
            AskedAt = askedAt,
            GrantedAt = now,
        };
    }

    private static IPv4Address First(DhcpOptions options, DhcpOption option) =>
        options.TryGetAddresses(option, out var addresses) ? addresses[0] : default;
}

/// <summary>
/// A DHCP client without socket or clock: each call takes the time since power-on and returns what is to be broadcast,
/// or null for nothing.
/// </summary>
internal interface IDhcpClient
{
    /// <summary>When <see cref="Tick"/> is due; null if the client has ended.</summary>
    TimeSpan? Deadline { get; }

    DhcpLease? Lease { get; }

    /// <summary>True if it has ended without a lease.</summary>
    bool HasGivenUp { get; }

    DhcpPacket? Start(TimeSpan now);

    DhcpPacket? Receive(DhcpArrival arrival, TimeSpan now);

    DhcpPacket? Tick(TimeSpan now);
}

/// <summary>Runs a client at a board's link.</summary>
internal static class DhcpRun
{
    /// <summary>Returns the lease, or null if the client has given up.</summary>
    /// <param name="now">Time since power-on.</param>
    /// <param name="sent">Told of each message that leaves.</param>
    public static async Task<DhcpLease?> RunAsync(
        IDhcpClient client, IBoardLink link, Func<TimeSpan> now, Action<DhcpPacket> sent,
        CancellationToken cancellation)
    {
        Send(client.Start(now()));
        while (client.Deadline is { } deadline)
        {
            var arrival = await link.ReceiveDhcpAsync(deadline - now(), cancellation).ConfigureAwait(false);
            Send(arrival is not null ? client.Receive(arrival, now())
                : now() >= deadline ? client.Tick(now())
                : null);
        }
        return client.Lease;

        void Send(DhcpPacket? packet)
        {
            if (packet is null) return;
            sent(packet);
            link.SendDhcp(packet, packet.ClientAddress);
        }
    }
}
