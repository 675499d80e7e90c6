using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>What the commands that are one verb of the API on selected nodes have in common.</summary>
internal static class NodeActionCommand
{
    /// <param name="waitFor">What <c>--wait</c> waits for; null for a verb without it.</param>
    public static Command Create(
        CommandSet set, HelpfulCommand command, NodeVerb verb, bool asks, NodeGoalTest? waitFor = null,
        Option<string?>? image = null, Option<string?>? disk = null)
    {
        var nodes = new NodeArguments(set, command);
        if (image is not null) command.Add(image);
        if (disk is not null) command.Add(disk);
        var wait = WaitOption(waitFor);
        if (waitFor is not null) command.Add(wait);
        return set.Handle(command, (session, cancellation) => new NodeDeed
        {
            Verb = command.Name,
            Asks = asks,
            WaitFor = waitFor is not null && session.Value(wait) ? waitFor : null,
            Send = (selection, dryRun, token) => session.Api.PostAsync(
                ApiPath.Of(ApiRoutes.NodeAction, verb.ToString().ToLowerInvariant()),
                new NodeActionRequest
                {
                    Select = selection.Select,
                    All = selection.All,
                    DryRun = dryRun,
                    Image = image is null ? null : session.Value(image),
                    Disk = disk is null ? null : session.Value(disk),
                },
                ContractsJson.Default.NodeActionRequest, ContractsJson.Default.NodeActionResult, token),
        }.RunAsync(session, nodes.Read(session), cancellation));
    }

    public static Option<bool> WaitOption(NodeGoalTest? waitFor) => new("--wait")
    {
        Description = $"Wait until the nodes are {waitFor?.Word} or have failed; see --timeout",
    };
}
