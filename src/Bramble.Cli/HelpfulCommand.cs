using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Bramble.Cli;

/// <summary>A command with a line for its parent's list, a paragraph for its own help, and an example.</summary>
internal sealed class HelpfulCommand(string name, string summary, string more = "", string example = "")
    : Command(name, summary)
{
    public string More { get; } = more;

    public string Example { get; } = example;
}

/// <summary>The usual help, then the command's paragraph and example.</summary>
internal sealed class HelpWithExample(HelpAction usual) : SynchronousCommandLineAction
{
    /// <summary>Help is also what a half-typed command may ask for.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not HelpfulCommand command) return code;
        var output = parseResult.InvocationConfiguration.Output;
        if (command.More.Length > 0) Section(output, "About:", command.More.ReplaceLineEndings("\n"));
        if (command.Example.Length > 0) Section(output, "Example:", command.Example.ReplaceLineEndings("\n"));
        return code;
    }

    private static void Section(TextWriter output, string title, string text)
    {
        output.WriteLine(title);
        foreach (var line in text.Split('\n')) output.WriteLine($"  {line}");
        output.WriteLine();
    }
}
