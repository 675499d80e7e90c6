using System.Globalization;

namespace Bramble.Manager.Provisioning;

/// <summary>An install's name on the wire: <c>17-2</c> is the second generation of node 17.</summary>
public readonly record struct InstallJob(long NodeId, long Generation)
{
    public static bool TryParse(string? text, out InstallJob job)
    {
        job = default;
        var dash = text?.IndexOf('-', StringComparison.Ordinal) ?? -1;
        if (dash <= 0
            || !long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var node)
            || !long.TryParse(
                text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
            return false;
        job = new InstallJob(node, generation);
        return true;
    }

    public override string ToString() => $"{NodeId}-{Generation}";
}
