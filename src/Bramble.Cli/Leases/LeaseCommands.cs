using System.CommandLine;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Leases;

/// <summary><c>bramble lease ls</c></summary>
internal static class LeaseCommands
{
    public static Command Create(CommandSet set)
    {
        var ls = new HelpfulCommand("ls", "List the DHCP leases",
            "Lists the addresses given out, and to whom.", "bramble lease ls");
        set.Handle(ls, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(
                ApiRoutes.Leases, ContractsJson.Default.IReadOnlyListLeaseView, cancellation);
            session.Printer.Show(answer.Raw, () =>
            {
                var now = session.Terminal.Time.GetUtcNow();
                var sheet = new Sheet("ADDRESS", "MAC", "STATE", "EXPIRES", "NETWORK", "NODE", "HOST NAME");
                foreach (var lease in answer.Value)
                {
                    var look = lease.State switch
                    {
                        "bound" => Styles.Good,
                        "offered" => Styles.Busy,
                        "declined" => Styles.Bad,
                        _ => Styles.Faint,
                    };
                    var left = lease.ExpiresAt > now
                        ? $"in {Human.Span(lease.ExpiresAt - now)}"
                        : $"{Human.Age(lease.ExpiresAt, now)} ago";
                    sheet.Add(lease.Address, lease.Mac, new Cell(lease.State, look), left, lease.Network,
                        lease.NodeName, lease.HostName);
                }
                return sheet;
            });
            if (answer.Value.Count == 0) session.Say("no leases");
            return ExitCode.Ok;
        });
        return new HelpfulCommand("lease", "The DHCP leases") { ls };
    }
}
