using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;

namespace Bramble.Manager.Nodes;

/// <summary>From snapshots to what the API shows. Pure.</summary>
public static class NodeViews
{
    public static NodeView Of(NodeSnapshot node, InstallOptions defaults)
    {
        var (spec, status) = (node.Spec, node.Status);
        return new NodeView
        {
            Id = node.Id,
            Number = node.Number,
            Name = node.Name,
            Mac = node.Mac.ToString(),
            Serial = status.Serial,
            Model = status.Model,
            Maker = status.Maker,
            MemoryBytes = status.MemoryBytes,
            Architecture = status.Architecture,
            Network = status.Network,
            Address = status.Address?.ToString(),
            Phase = status.Phase,
            PhaseSince = status.PhaseSince,
            Verdict = status.Verdict,
            Spec = new NodeSpecView
            {
                Goal = spec.Goal,
                Image = spec.Image ?? defaults.ImageFor(status.Architecture),
                Disk = spec.Disk ?? defaults.Disk.ToString(),
                Generation = spec.Generation,
                ReservedAddress = spec.ReservedAddress?.ToString(),
                PowerDevice = spec.PowerDevice ?? status.FoundPowerDevice,
                PowerPort = spec.PowerPort ?? status.FoundPowerPort,
                Power = spec.PowerOn ? "on" : "off",
                Labels = spec.Labels,
            },
            Installed = status.Installed is { } installed
                ? new InstalledView(
                    installed.Image, installed.Digest, installed.Disk, installed.Generation, installed.At)
                : null,
            Progress = status.Attempt is { } attempt && status.Phase == NodePhase.Installing
                ? new ProgressView(attempt.Step, attempt.DoneBytes, attempt.TotalBytes, attempt.Message) : null,
            Disks = [.. status.Disks.Select(d => new DiskView(d.Path, d.SizeBytes, d.Bus, d.ReadOnly, d.Serial))],
            LastReportAt = status.LastReportAt,
            LastSeenAt = status.LastSeenAt,
            SshHostKey = status.SshHostKey,
            WatchdogTries = status.Watchdog.Tries,
        };
    }
}
