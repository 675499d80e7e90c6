using System.CommandLine;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>Makes a node known before its board was ever heard.</summary>
internal static class NodeAddCommand
{
    public static Command Create(CommandSet set)
    {
        var mac = new Argument<string>("MAC") { Description = "The board's MAC address" };
        var name = new Option<string?>("--name") { Description = "Its name; else one is made up" };
        var address = new Option<string?>("--address") { Description = "Reserved IPv4 address" };
        var command = new HelpfulCommand("add", "Add a node before its board was ever heard",
            "The node is adopted at once: when its board is first plugged in, it is no stranger.",
            "bramble node add b8:27:eb:12:34:56 --name shelf-3 --address 10.0.0.13")
        {
            mac, name, address,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var wish = new NodeCreate(session.Value(mac)!, session.Value(name), session.Value(address));
            if (session.DryRun)
            {
                var named = wish.Name is null ? "" : $" as {wish.Name}";
                var at = wish.Address is null ? "" : $" at {wish.Address}";
                session.Say($"dry run: would add the node with MAC address {wish.Mac}{named}{at}");
                return ExitCode.Ok;
            }
            var answer = await session.Api.PostAsync(
                ApiRoutes.Nodes, wish, ContractsJson.Default.NodeCreate, ContractsJson.Default.NodeView, cancellation);
            session.Printer.Show(
                answer.Raw, () => NodeShowCommand.Table(answer.Value, session.Terminal.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }
}
