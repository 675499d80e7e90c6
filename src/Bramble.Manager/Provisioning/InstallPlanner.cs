using Bramble.Boot.Images;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Provisioning;

/// <summary>What a board in the initramfs is to do.</summary>
public abstract record InstallDecision
{
    /// <summary>Write the image; the attempt is to be made durable before the board hears of it.</summary>
    public sealed record Install(InstallAttempt Attempt, BootImage Image) : InstallDecision;

    public sealed record Boot(InstallRecord Installed) : InstallDecision;

    public sealed record Rescue : InstallDecision;

    public sealed record Reboot : InstallDecision;

    /// <param name="Trouble">It waits because something is wrong, not because it was told to.</param>
    public sealed record Wait(string Reason, bool Trouble) : InstallDecision;
}

/// <summary>Decides from wish, state and store alone. Pure.</summary>
public static class InstallPlanner
{
    /// <summary>Between two tries of a failing install.</summary>
    public static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1);

    /// <summary>How long the next try waits after so many failures.</summary>
    public static TimeSpan BackOff(int failures) =>
        failures > 9 ? LongestBackOff : TimeSpan.FromSeconds(Math.Min(5 << failures, LongestBackOff.TotalSeconds));

    public static InstallDecision Decide(
        NodeSnapshot node, Func<string, BootImage?> findImage, InstallOptions options, DateTimeOffset now)
    {
        var (spec, status) = (node.Spec, node.Status);
        if (!spec.Adopted) return new InstallDecision.Wait("the node is not adopted: bramble node adopt", false);
        if (spec.RestartGeneration > status.RestartedGeneration) return new InstallDecision.Reboot();
        switch (spec.Goal)
        {
            case NodeGoal.Rescue:
                return new InstallDecision.Rescue();
            case NodeGoal.Wait:
                return new InstallDecision.Wait("told to wait: bramble boot lets it go on", false);
            case NodeGoal.Run when !NodeLifecycle.NeedsInstall(spec, status):
                return DecideBoot(status);
            default:
                return DecideInstall(node, findImage, options, now);
        }
    }

    private static InstallDecision DecideBoot(NodeStatus status)
    {
        var installed = status.Installed!;
        var disk = status.Disks.FirstOrDefault(d => d.Path == installed.Disk);
        return disk is null
            ? Trouble($"the disk {installed.Disk}, on which {installed.Image} is installed, is not there any more")
            : new InstallDecision.Boot(installed);
    }

    private static InstallDecision DecideInstall(
        NodeSnapshot node, Func<string, BootImage?> findImage, InstallOptions options, DateTimeOffset now)
    {
        var (spec, status) = (node.Spec, node.Status);
        if ((spec.Image ?? options.ImageFor(status.Architecture)) is not { } name)
            return Trouble(
                "no image is chosen: bramble install NODE --image NAME, or install.image in the configuration");
        if (findImage(name) is not { } image)
            return Trouble($"there is no image '{name}': bramble image ls shows those that there are");
        if (image.Architecture != status.Architecture && !RunsOn(image.Architecture, status.Architecture))
            return Trouble($"the image '{name}' is for {image.Architecture}, the board is {status.Architecture}");
        var rule = options.Disk;
        if (spec.Disk is { } own && !DiskRule.TryParse(own, out rule)) return Trouble($"'{own}' is no disk rule");
        if (!rule.TryChoose(status.Disks, image.SizeBytes, out var disk, out var reason)) return Trouble(reason);
        var attempt = status.Attempt is { } last && last.Generation == spec.Generation && last.Digest == image.Digest
            && last.Disk == disk.Path && last.DiskSerial == disk.Serial ? last : null;
        if (attempt is { Failed: true })
        {
            if (attempt.RetryAt is not { } at)
                return Trouble($"the install failed {attempt.Failures} times, last: {attempt.Message}; "
                    + "bramble reinstall tries again");
            // Further off than any back-off: the clock was set back.
            if (now < at && at - now <= LongestBackOff)
                return Trouble($"the install failed: {attempt.Message}; tried again in {(at - now).TotalSeconds:0} s");
        }
        if (disk.Used && attempt is null && !options.OverwriteUsedDisks && spec.OverwriteGeneration < spec.Generation)
        {
            return Trouble($"{disk.Path} already holds data, and nobody asked for it to be overwritten: "
                + $"bramble install {node.Name} does");
        }
        return new InstallDecision.Install(
            (attempt ?? new InstallAttempt
            {
                Generation = spec.Generation,
                Image = image.Name,
                Digest = image.Digest,
                Disk = disk.Path,
                DiskSerial = disk.Serial,
                StartedAt = now,
                // The same image is there already: what still fits is left as it is, and a card wears less.
                Wrote = status.Installed is { } there && there.Digest == image.Digest && there.Disk == disk.Path,
            }) with
            {
                DiskBytes = disk.SizeBytes,
                Failed = false,
                RetryAt = null,
                Step = "start",
                DoneBytes = 0,
                TotalBytes = image.SizeBytes,
            }, image);

        static bool RunsOn(string image, string board) =>
            image is "unknown" or "" || (image == "armhf" && board == "arm64");
    }

    private static InstallDecision.Wait Trouble(string reason) => new(reason, Trouble: true);
}
