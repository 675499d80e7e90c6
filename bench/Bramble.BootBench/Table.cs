using System.Globalization;
using System.Text;

namespace Bramble.BootBench;

/// <summary>What was measured, row by row and server by server; each figure is the median of its rounds.</summary>
internal sealed class Table
{
    private readonly List<Row> _rows = [];

    private sealed record Row(string What, string Unit, bool MoreIsBetter, Dictionary<string, List<double>> Figures)
    {
        public Dictionary<string, string> Remarks { get; } = [];
    }

    public void Add(string what, string unit, bool moreIsBetter, string server, double figure, string remark = "")
    {
        var row = _rows.Find(r => r.What == what && r.Unit == unit);
        if (row is null) _rows.Add(row = new Row(what, unit, moreIsBetter, []));
        if (!row.Figures.TryGetValue(server, out var figures)) row.Figures[server] = figures = [];
        figures.Add(figure);
        if (remark.Length > 0) row.Remarks[server] = remark;
    }

    /// <summary>A Markdown table. The ratio is ours to the best peer's, above 1 where ours is the better.</summary>
    public override string ToString()
    {
        var servers = _rows.SelectMany(r => r.Figures.Keys).Distinct().ToList();
        var text = new StringBuilder("| Load | Unit |");
        foreach (var server in servers) text.Append(CultureInfo.InvariantCulture, $" {server} |");
        text.Append(" ratio to the best peer |\n|---|---|")
            .Insert(text.Length, "---:|", servers.Count + 1).Append('\n');
        foreach (var row in _rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.What} | {row.Unit} |");
            foreach (var server in servers)
            {
                var cell = row.Figures.TryGetValue(server, out var figures) ? Shown(Median(figures)) : "";
                if (row.Remarks.TryGetValue(server, out var remark)) cell += $" ({remark})";
                text.Append(CultureInfo.InvariantCulture, $" {cell} |");
            }
            text.Append(CultureInfo.InvariantCulture, $" {Ratio(row)} |\n");
        }
        return text.ToString();
    }

    private static string Ratio(Row row)
    {
        var peers = row.Figures.Where(f => f.Key != Servers.Brambled).Select(f => Median(f.Value)).ToList();
        if (peers.Count == 0 || !row.Figures.TryGetValue(Servers.Brambled, out var ours)) return "";
        var ratio = row.MoreIsBetter ? Median(ours) / peers.Max() : peers.Min() / Median(ours);
        return ratio.ToString("0.00", CultureInfo.InvariantCulture);
    }

    private static string Shown(double figure) => figure.ToString(
        Math.Abs(figure) >= 100 ? "0" : Math.Abs(figure) >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    private static double Median(List<double> figures)
    {
        var sorted = figures.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
