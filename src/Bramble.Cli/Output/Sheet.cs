using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bramble.Cli.Output;

/// <summary>A text and how it looks.</summary>
internal readonly record struct Cell(string Text, Style? Style = null)
{
    public static implicit operator Cell(string? text) => new(text ?? "");

    public static implicit operator Cell(int number) => new($"{number}");

    public static implicit operator Cell(long number) => new($"{number}");
}

/// <summary>Looks that more than one table uses.</summary>
internal static class Styles
{
    public static readonly Style Good = new(Color.Green);
    public static readonly Style Busy = new(Color.Blue);
    public static readonly Style Odd = new(Color.Yellow);
    public static readonly Style Bad = new(Color.Red);
    public static readonly Style Faint = new(decoration: Decoration.Dim);
    public static readonly Style Head = new(decoration: Decoration.Bold);
}

/// <summary>Columns without lines, as other tools print them. Only the last column is broken over lines.</summary>
internal sealed class Sheet
{
    private readonly Table _table = new() { Border = TableBorder.None };

    /// <param name="columns">The heads; null for a sheet without.</param>
    public Sheet(params string[] columns)
    {
        _table.ShowHeaders = columns.Any(c => c.Length > 0);
        for (var i = 0; i < columns.Length; i++)
        {
            var last = i == columns.Length - 1;
            _table.AddColumn(new TableColumn(new Text(columns[i], Styles.Head))
            {
                NoWrap = !last,
                Padding = new Padding(0, 0, last ? 0 : 2, 0),
            });
        }
    }

    public IRenderable Shape => _table;

    public int Count => _table.Rows.Count;

    public Sheet Add(params Cell[] cells)
    {
        _table.AddRow(cells.Select(IRenderable (cell) => new Text(Human.Clean(cell.Text), cell.Style)));
        return this;
    }

    /// <summary>A name and its value; one without value is left out.</summary>
    public void AddIf(string name, Cell value)
    {
        if (value.Text is { Length: > 0 }) Add(new Cell(name, Styles.Faint), value);
    }
}
