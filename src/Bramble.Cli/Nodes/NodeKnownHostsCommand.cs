using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Nodes;

/// <summary>The nodes' SSH host keys, as OpenSSH's known_hosts wants them.</summary>
internal static class NodeKnownHostsCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("known-hosts", "Print the nodes' SSH host keys for known_hosts",
            "Prints a known_hosts line for each node that has been installed: its host key was made before the board\n"
            + "first booted, so the first log-in is already trusted. All nodes, or those named.\n" + NodeArguments.Ways,
            "bramble node known-hosts > ~/.ssh/known_hosts.d/rack\n"
            + "ssh -o UserKnownHostsFile=~/.ssh/known_hosts.d/rack root@10.0.0.7");
        var nodes = new NodeArguments(set, command);
        return set.Handle(command, async (session, cancellation) =>
        {
            var path = ApiPath.With(ApiRoutes.Nodes, nodes.ReadOrNone(session).Query);
            var answer = await session.Api.GetAsync(path, ContractsJson.Default.IReadOnlyListNodeView, cancellation);
            foreach (var node in answer.Value.OrderBy(n => n.Number))
            {
                if (string.IsNullOrEmpty(node.SshHostKey)) continue;
                string?[] names = [node.Name, node.Address];
                var known = string.Join(',', names.Where(n => !string.IsNullOrEmpty(n)));
                session.Printer.Line($"{known} {node.SshHostKey}");
            }
            return ExitCode.Ok;
        });
    }
}
