using Bramble.Lab.Boards;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>Gets a plain lease and prolongs it (RFC 2131 §4.4.5): unicast at half its time, broadcast at 7/8.</summary>
internal sealed class LeaseKeeper(BoardRun run, PlainDhcpKind kind, string hostName)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private const uint Forever = uint.MaxValue;

    /// <summary>Ends with an address, however long it takes.</summary>
    /// <param name="stage">What the board is doing, for its log.</param>
    public async Task<DhcpLease> ObtainAsync(BoardStage stage)
    {
        run.Link.Address = default;
        var delay = TimeSpan.FromSeconds(1);
        while (true)
        {
            var client = new PlainDhcp(run.Spec.Mac, kind, hostName, run.Random);
            if (await DhcpRun.RunAsync(client, run.Link, () => run.Now, _ => { }, run.Cancellation) is { } lease)
            {
                run.Link.Address = lease.Address;
                return lease;
            }
            run.Note(stage, "no DHCP answer; trying again");
            await run.WaitAsync(delay);
            if (delay < TimeSpan.FromSeconds(30)) delay *= 2;
        }
    }

    /// <summary>Keeps a lease; ends when it is lost.</summary>
    public async Task KeepAsync(DhcpLease lease, CancellationToken cancellation)
    {
        while (lease.Duration.TotalSeconds is > 0 and < Forever)
        {
            var (t1, t2, end) = (lease.Duration / 2, lease.Duration * 7 / 8, lease.Duration);
            await Task.Delay(Positive(lease.GrantedAt + t1 - run.Now), run.Time, cancellation);
            DhcpLease? renewed = null;
            while (renewed is null)
            {
                var age = run.Now - lease.GrantedAt;
                if (age >= end) return;
                var xid = (uint)run.Random.NextInt64(1, 0x1_0000_0000);
                var packet = PlainDhcp.Renewal(run.Spec.Mac, kind, hostName, lease.Address, xid);
                var asked = run.Now;
                run.Link.SendDhcp(packet, lease.Address, age < t2 ? (lease.Server, lease.ServerMac) : null);
                var answer = await run.Link.ReceiveDhcpAsync(Patience, cancellation);
                if (answer is null || answer.Packet.TransactionId != xid) continue;
                if (answer.Packet.MessageType == DhcpMessageType.Nak) return;
                if (answer.Packet.MessageType == DhcpMessageType.Ack)
                    renewed = DhcpLease.Read(answer, asked, run.Now) with { Address = lease.Address };
            }
            lease = renewed;
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, run.Time, cancellation);
    }

    private static TimeSpan Positive(TimeSpan wait) => wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
}
