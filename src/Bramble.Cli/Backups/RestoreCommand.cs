using System.CommandLine;
using Bramble.Cli.Config;

namespace Bramble.Cli.Backups;

/// <summary>Has the daemon's own program put a backup back, since no daemon may run then.</summary>
internal static class RestoreCommand
{
    public static Command Create(CommandSet set)
    {
        var file = new Argument<string>("FILE") { Description = "What 'bramble backup' has made" };
        var config = new Option<string>("--config")
        {
            Description = "The configuration that names the state directory",
            HelpName = "FILE",
            DefaultValueFactory = _ => CheckConfigCommand.UsualFile,
        };
        var state = new Option<string?>("--state")
        {
            Description = "The state directory itself, where there is no configuration yet",
            HelpName = "DIR",
        };
        var command = new HelpfulCommand("restore", "Put a backup in the place of the manager's state",
            "Runs 'brambled restore' on this machine; brambled itself must not be running. Everything in the archive\n"
            + "is checked first. The state that was there is set aside and never deleted; a restore that is killed\n"
            + "leaves the old state or the new one.",
            "bramble restore rack.tar.gz --dry-run\n"
            + "sudo systemctl stop brambled && sudo bramble restore rack.tar.gz && sudo systemctl start brambled")
        {
            file, config, state,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            Confirmation.Require(session, "restore");
            var archive = session.Value(file)!;
            List<string> arguments = session.Value(state) is { } directory
                ? ["restore", Path.GetFullPath(archive), "--state", directory]
                : ["restore", Path.GetFullPath(archive), "--config", session.Value(config)!];
            if (session.DryRun)
                return await DaemonProgram.RunAsync(session, [.. arguments, "--dry-run"], cancellation);
            if (!session.Yes)
            {
                // What is wrong with it is told before anybody is asked.
                var code = await DaemonProgram.RunAsync(session, [.. arguments, "--dry-run"], cancellation);
                if (code != ExitCode.Ok) return code;
                if (!await Confirmation.AskAsync(
                    session, "restore: the present state is set aside. Go on?", [], cancellation))
                    return ExitCode.Failed;
            }
            return await DaemonProgram.RunAsync(session, arguments, cancellation);
        });
    }
}
