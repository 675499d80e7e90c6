using System.CommandLine;

namespace Bramble.Cli.Config;

/// <summary>Has the daemon's own program read a configuration, so that both always agree about it.</summary>
internal static class CheckConfigCommand
{
    public const string UsualFile = "/etc/bramble/bramble.yaml";

    public static Command Create(CommandSet set)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The manager's configuration",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = _ => UsualFile,
        };
        var command = new HelpfulCommand("check-config", "Check a configuration of the manager, without starting it",
            "Runs 'brambled check-config FILE' (from BRAMBLED, beside this program, or on PATH), and passes on what\n"
            + "it says and its exit code.",
            "bramble check-config ./bramble.yaml && systemctl restart brambled")
        {
            file,
        };
        return set.Handle(command, (session, cancellation) =>
            DaemonProgram.RunAsync(session, ["check-config", session.Value(file)!], cancellation));
    }
}
