using System.CommandLine;
using Bramble.Cli.Output;

namespace Bramble.Cli;

/// <summary>The options that every command takes.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Server { get; } = new("--server", "-s")
    {
        Description = "The manager: http://…, https://… or unix:/path/to.sock "
            + "[BRAMBLE_SERVER, else as logged in, else unix:/run/bramble/api.sock]",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string> Output { get; } = new("--output", "-o")
    {
        Description = "Form of the data on stdout: table, wide, json or yaml",
        HelpName = "FORM",
        Recursive = true,
        DefaultValueFactory = _ => "table",
    };

    public Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "No colours [NO_COLOR]",
        Recursive = true,
    };

    public Option<bool> Yes { get; } = new("--yes", "-y")
    {
        Description = "Do it without asking",
        Recursive = true,
    };

    public Option<bool> DryRun { get; } = new("--dry-run")
    {
        Description = "Say what would be done, do nothing",
        Recursive = true,
    };

    public Option<TimeSpan?> Timeout { get; } = new("--timeout")
    {
        Description = "The longest wait for an answer [30s], or for the end of what is followed [no limit]: "
            + "90s, 10m, 1h",
        HelpName = "TIME",
        Recursive = true,
        CustomParser = result =>
        {
            if (Duration.TryParse(result.Tokens[0].Value, out var time)) return time;
            result.AddError($"'{result.Tokens[0].Value}' is not a time; write it as 90s, 10m or 1h");
            return null;
        },
    };

    public GlobalOptions() => Output.AcceptOnlyFromAmong(OutputFormats.Words);

    public void AddTo(Command root)
    {
        root.Add(Server);
        root.Add(Output);
        root.Add(NoColor);
        root.Add(Yes);
        root.Add(DryRun);
        root.Add(Timeout);
    }
}
