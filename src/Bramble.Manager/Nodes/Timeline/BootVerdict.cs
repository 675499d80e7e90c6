using Bramble.Contracts.Nodes;

namespace Bramble.Manager.Nodes.Timeline;

/// <summary>Where a boot stopped and why, in one sentence, from its steps alone. Pure.</summary>
public static class BootVerdict
{
    /// <summary>Files without which a board of that family does not go on.</summary>
    private static readonly string[] s_mandatory =
        ["bootcode.bin", "start.elf", "start4.elf", "kernel8.img", "kernel_2712.img", "kernel7.img", "kernel7l.img"];

    /// <param name="steps">The boot's steps, oldest first.</param>
    /// <param name="family">The board's family as <see cref="Boot.BoardFamily"/> names it.</param>
    /// <param name="silence">How long nothing has come.</param>
    /// <param name="again">It ended as the board started again.</param>
    public static string Explain(IReadOnlyList<TimelineStep> steps, string family, TimeSpan silence, bool again = false)
    {
        var since = again ? $"then it started again after {silence.TotalSeconds:0} s"
            : $"then silence for {silence.TotalSeconds:0} s";
        if (steps.LastOrDefault(step => step.Stage == "power" && step.Outcome == "failed") is { } power
            && ReferenceEquals(power, steps[^1]))
            return $"power: {power.Detail}";
        if (steps.LastOrDefault(step => step.Stage == "system") is { } system)
            return $"the installed system reported '{system.What}' and went silent, {since}";
        if (steps.LastOrDefault(step => step.Stage == "installer") is { } installer)
            return ExplainInstaller(installer, since);
        var files = steps.Where(step => step.Stage is "tftp" or "http").ToList();
        return files.Count > 0 ? ExplainFiles(files, since) : ExplainDhcp(steps, family, since);
    }

    private static string ExplainInstaller(TimelineStep last, string since) =>
        last.Outcome == "failed" ? $"installer: {last.Detail}"
        : last.What == "boot"
            ? $"the installer started the installed system, which has not reported in: {since}; look at its console, "
              + "or bring it up in rescue"
        : $"the installer stopped at '{last.What}' ({last.Detail}), {since}";

    private static string ExplainFiles(List<TimelineStep> files, string since)
    {
        var last = files[^1];
        if (last.Outcome == "failed") return $"{Name(last)}: {last.Detail}, {since}";
        if (Missing(files) is { Count: > 0 } missing)
        {
            var names = string.Join(" and ", missing.Select(Name).Distinct());
            // Not for want of the file, but of an image or of the node itself.
            return missing.Find(step => step.Detail.Length > 0
                && !step.Detail.Contains(" is not in ", StringComparison.Ordinal))
                is { } refused ? $"asked for {names}, but {refused.Detail}, {since}"
                : $"asked for {names}, which this image lacks, {since}";
        }
        return files.Any(step => step.Outcome == "ok" && IsKernel(Name(step)))
            ? $"fetched its kernel and started it, and no installer came up: {since}; the kernel may not fit the "
              + "board, or the initramfs lacks its network driver"
            : $"fetched {Name(last)} last, {since}";
    }

    /// <summary>The mandatory files that were asked for in vain, and after which nothing was served.</summary>
    private static List<TimelineStep> Missing(List<TimelineStep> files)
    {
        var served = files.Where(step => step.Outcome == "ok").Select(Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var lastServed = files.FindLastIndex(step => step.Outcome == "ok");
        return [.. files.Skip(lastServed + 1).Where(step => step.Outcome == "probe" && !OnlyLooked(step)
            && s_mandatory.Contains(Name(step), StringComparer.OrdinalIgnoreCase) && !served.Contains(Name(step)))];
    }

    /// <summary>The file is there; the board asked for its size and broke off, as all of them do.</summary>
    private static bool OnlyLooked(TimelineStep step) => step.Detail.Contains("client ", StringComparison.Ordinal);

    private static string ExplainDhcp(IReadOnlyList<TimelineStep> steps, string family, string since)
    {
        var discovers = steps.Where(step => step is { Stage: "dhcp", What: "DISCOVER" }).Sum(step => step.Count);
        var times = discovers switch { 0 => "no DISCOVER", 1 => "DISCOVER once", 5 => "DISCOVER five times",
            _ => $"DISCOVER {discovers} times" };
        var refused = steps.LastOrDefault(step => step is { Stage: "dhcp", Outcome: "ignored" or "failed" });
        var offered = steps.Any(step => step is { Stage: "dhcp", What: "OFFER" });
        var isPi3 = family is "Pi3B" or "Pi3BPlus";
        var giveUp = isPi3 && discovers >= 5 ? ": a Pi 3 gives up until power-cycled" : "";
        if (!offered && refused is not null) return $"{times}, not answered because {refused.Detail}, {since}{giveUp}";
        if (!offered) return $"{times}, {since}{giveUp}";
        return giveUp.Length > 0 ? $"{times}, {since}{giveUp}"
            : $"{times} and offered an address, but it never asked for a file: {since}; is a switch port still blocked "
              + "by spanning tree, or does another DHCP server answer first?";
    }

    private static bool IsKernel(string name) =>
        name.StartsWith("kernel", StringComparison.Ordinal) || name.StartsWith("vmlinuz", StringComparison.Ordinal);

    private static string Name(TimelineStep step) => step.What[(step.What.LastIndexOf('/') + 1)..];
}
