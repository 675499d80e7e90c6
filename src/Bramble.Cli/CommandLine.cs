using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Bramble.Cli.Backups;
using Bramble.Cli.Capture;
using Bramble.Cli.Completion;
using Bramble.Cli.Config;
using Bramble.Cli.Events;
using Bramble.Cli.Explain;
using Bramble.Cli.Images;
using Bramble.Cli.Import;
using Bramble.Cli.Leases;
using Bramble.Cli.Login;
using Bramble.Cli.Nodes;
using Bramble.Cli.Power;
using Bramble.Cli.Status;
using Bramble.Cli.Tokens;

namespace Bramble.Cli;

/// <summary>The whole command line: the tree of commands, and one run of it.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellation)
    {
        // An argument such as @file is a name like any other, not a file of further arguments.
        var typed = Build(terminal).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var wrong = typed.Action is ParseErrorAction;
        if (typed.Action is ParseErrorAction complaint) complaint.ShowHelp = false;
        var code = await typed.InvokeAsync(
            new InvocationConfiguration
            {
                // A complaint about the command line is talk, its spelling suggestions included.
                Output = wrong ? terminal.Error : terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
            },
            cancellation);
        if (!wrong) return code;
        terminal.Error.WriteLine($"See '{PathOf(typed.CommandResult.Command)} --help'.");
        return ExitCode.Usage;
    }

    public static RootCommand Build(Terminal terminal)
    {
        var set = new CommandSet(terminal);
        var root = new RootCommand("Bramble, from the command line: boards that boot, install and run by themselves.")
        {
            NodeCommands.Create(set),
            InstallCommand.Create(set),
            ReinstallCommand.Create(set),
            RescueCommand.Create(set),
            BootCommand.Create(set),
            WaitCommand.Create(set),
            RestartCommand.Create(set),
            PowerCommands.Create(set),
            TimelineCommand.Create(set),
            ImageCommands.Create(set),
            LeaseCommands.Create(set),
            ImportCommands.Create(set),
            ExplainCommands.Create(set),
            EventsCommand.Create(set),
            CaptureCommand.Create(set),
            StatusCommand.Create(set),
            TokenCommands.Create(set),
            BackupCommand.Create(set),
            RestoreCommand.Create(set),
            LoginCommand.Create(set),
            CheckConfigCommand.Create(set),
            CompletionCommand.Create(set),
            VersionCommand.Create(set),
        };
        set.Options.AddTo(root);
        ReplaceHelp(root);
        return root;
    }

    /// <summary>The library's own also listens to <c>/?</c> and <c>/h</c>, which a shell would then offer.</summary>
    private static void ReplaceHelp(RootCommand root)
    {
        var help = new HelpOption("--help", "-h");
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        foreach (var usual in root.Options.OfType<HelpOption>().ToList()) root.Options.Remove(usual);
        root.Add(help);
    }

    private static string PathOf(Command command)
    {
        var names = new Stack<string>();
        for (Symbol? at = command; at is not null and not RootCommand; at = at.Parents.FirstOrDefault())
            names.Push(at.Name);
        names.Push("bramble");
        return string.Join(' ', names);
    }
}
