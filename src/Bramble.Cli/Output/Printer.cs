using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bramble.Cli.Output;

/// <summary>Puts data on stdout in the form asked for, and talk on stderr.</summary>
internal sealed class Printer(Terminal terminal, OutputFormat format, bool colours)
{
    /// <summary>Columns when nobody looks: a file has no right edge.</summary>
    private const int Unbounded = 4000;

    private static readonly JsonWriterOptions Tight = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Spread = Tight with { Indented = true };

    public OutputFormat Format => format;

    public bool Colours => colours;

    public bool IsWide => format == OutputFormat.Wide;

    /// <summary>The manager's record whole for programs, a table for people.</summary>
    public void Show(JsonElement raw, Func<IRenderable> table)
    {
        if (format.IsForMachines()) Document(raw);
        else Draw(table());
    }

    public void Show(JsonElement raw, Func<Sheet> sheet) => Show(raw, () => sheet().Shape);

    /// <summary>One of a stream of records: a line of JSON each, or YAML documents.</summary>
    public void ShowNext(JsonElement raw, Func<IRenderable> table)
    {
        switch (format)
        {
            case OutputFormat.Json:
                terminal.Out.WriteLine(Json(raw, Tight));
                break;
            case OutputFormat.Yaml:
                terminal.Out.Write($"---\n{YamlWriter.Write(raw)}");
                break;
            default:
                Draw(table());
                break;
        }
    }

    public void Draw(IRenderable shape) => terminal.Out.Write(Render(shape));

    public void Line(string text) => terminal.Out.WriteLine(text);

    /// <summary>Talk, on stderr. Nothing in it is taken as an escape sequence.</summary>
    public void Say(string text)
    {
        foreach (var line in text.Split('\n')) terminal.Error.WriteLine(Human.Clean(line));
    }

    public string Render(IRenderable shape)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var width = terminal.OutIsTerminal ? terminal.Width() : Unbounded;
        Screen(text, width, terminal.OutIsTerminal && colours).Write(shape);
        var trimmed = new StringBuilder();
        var lines = text.ToString().Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (i == lines.Length - 1 && lines[i].Length == 0) break;
            trimmed.Append(lines[i].TrimEnd(' ')).Append('\n');
        }
        return trimmed.ToString();
    }

    /// <summary>For a progress bar.</summary>
    public IAnsiConsole ErrorScreen() =>
        Screen(terminal.Error, terminal.ErrorIsTerminal ? terminal.Width() : 80, terminal.ErrorIsTerminal && colours,
            terminal.ErrorIsTerminal);

    private void Document(JsonElement raw) =>
        terminal.Out.Write(format == OutputFormat.Json ? Json(raw, Spread) + "\n" : YamlWriter.Write(raw));

    private static string Json(JsonElement raw, JsonWriterOptions options)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, options)) raw.WriteTo(writer);
        var text = Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        // The encoder leaves these as they are. They can only stand inside strings, where an escape is the same.
        return text.Any(Human.IsHidden)
            ? string.Concat(text.Select(c => Human.IsHidden(c) ? $"\\u{(int)c:x4}" : c.ToString()))
            : text;
    }

    private static IAnsiConsole Screen(TextWriter writer, int width, bool inColour, bool interactive = false)
    {
        var screen = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = inColour || interactive ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = inColour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(writer),
        });
        screen.Profile.Width = width;
        return screen;
    }
}
