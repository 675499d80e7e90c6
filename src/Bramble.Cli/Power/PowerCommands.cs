using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Nodes;
using Bramble.Contracts.Api;
using Bramble.Contracts.Power;

namespace Bramble.Cli.Power;

/// <summary><c>bramble power on|off|cycle|status</c></summary>
internal static class PowerCommands
{
    public static Command Create(CommandSet set) => new HelpfulCommand(
        "power", "The nodes' power: on, off, cycle, status")
    {
        Verb(set, PowerVerb.On, "Switch power on", asks: false, NodeGoalTest.Running, "bramble power on --all --wait"),
        Verb(set, PowerVerb.Off, "Switch power off, without a shutdown", asks: true, NodeGoalTest.PoweredOff,
            "bramble power off rack=a --dry-run"),
        Verb(set, PowerVerb.Cycle, "Switch power off and on again", asks: true, NodeGoalTest.Restarted,
            "bramble power cycle 3 --yes --wait"),
        PowerStatusCommand.Create(set),
    };

    private static HelpfulCommand Verb(
        CommandSet set, PowerVerb verb, string summary, bool asks, NodeGoalTest goal, string example)
    {
        var word = verb.ToString().ToLowerInvariant();
        var command = new HelpfulCommand(word, summary, (asks ? "Asks first.\n" : "") + NodeArguments.Ways, example);
        var nodes = new NodeArguments(set, command);
        var wait = NodeActionCommand.WaitOption(goal);
        command.Add(wait);
        return set.Handle(command, (session, cancellation) => new NodeDeed
        {
            Verb = $"power {word}",
            Asks = asks,
            WaitFor = session.Value(wait) ? goal : null,
            Send = (selection, dryRun, token) => session.Api.PostAsync(
                ApiPath.Of(ApiRoutes.PowerAction, word),
                new PowerRequest { Select = selection.Select, All = selection.All, DryRun = dryRun },
                ContractsJson.Default.PowerRequest, ContractsJson.Default.NodeActionResult, token),
        }.RunAsync(session, nodes.Read(session), cancellation));
    }
}
