using System.CommandLine;

namespace Bramble.Cli.Completion;

/// <summary>Prints a script by which a shell completes our commands, options and node names.</summary>
internal static class CompletionCommand
{
    public static Command Create(CommandSet set)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new HelpfulCommand("completion", "Print a completion script for bash, zsh or fish",
            "The script asks bramble itself at each press of Tab; node and image names come live from the manager.",
            "bramble completion bash > /etc/bash_completion.d/bramble\n"
            + "source <(bramble completion zsh)\n"
            + "bramble completion fish > ~/.config/fish/completions/bramble.fish")
        {
            shell,
        };
        return set.Handle(command, (session, _) =>
        {
            session.Terminal.Out.Write(session.Value(shell) switch
            {
                "bash" => CompletionScripts.Bash,
                "zsh" => CompletionScripts.Zsh,
                _ => CompletionScripts.Fish,
            });
            return Task.FromResult(ExitCode.Ok);
        });
    }
}
