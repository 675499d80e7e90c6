using System.Globalization;
using System.Text;
using Bramble.Lab.Boards;

namespace Bramble.Lab.Racks;

/// <summary>What became of a rack, in a few lines.</summary>
internal static class RackSummary
{
    public static string Of(Rack rack, TimeSpan elapsed)
    {
        var text = new StringBuilder();
        var running = rack.Boards.Count(board => board.State.Stage == BoardStage.Running);
        text.Append(CultureInfo.InvariantCulture,
            $"{running} of {rack.Boards.Count} boards running after {elapsed.TotalSeconds:0.0} s; ");
        text.Append(CultureInfo.InvariantCulture,
            $"{rack.Boards.Sum(b => b.State.Boots)} boots, {rack.Boards.Sum(b => b.State.Installs)} installs");
        foreach (var group in rack.Boards.Where(b => b.State.Stage != BoardStage.Running)
            .GroupBy(b => (b.State.Stage, b.State.Detail)).OrderByDescending(g => g.Count()).Take(20))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {group.Count()} {BoardRun.Word(group.Key.Stage)}");
            if (group.Key.Detail.Length > 0) text.Append(": ").Append(group.Key.Detail);
            text.Append(CultureInfo.InvariantCulture,
                $" ({string.Join(' ', group.Take(5).Select(b => b.Spec.Name))}{(group.Count() > 5 ? " …" : "")})");
        }
        return text.ToString();
    }
}
