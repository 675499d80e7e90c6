using Bramble.Contracts.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>What was observed of a node. Written by <see cref="NodeRegistry"/> alone.</summary>
public sealed record NodeStatus
{
    public NodePhase Phase { get; init; }

    public DateTimeOffset PhaseSince { get; init; }

    public string Verdict { get; init; } = "";

    public string Network { get; init; } = "";

    public IPv4Address? Address { get; init; }

    public string Serial { get; init; } = "";

    public string Model { get; init; } = "";

    public string Maker { get; init; } = "";

    public long MemoryBytes { get; init; }

    public string Architecture { get; init; } = "";

    public string Family { get; init; } = "";

    /// <summary>The client architecture by name (<c>bios uefi-x64 …</c>) of a machine that is no Pi.</summary>
    public string Firmware { get; init; } = "";

    public IReadOnlyList<BoardDisk> Disks { get; init; } = [];

    /// <summary>The newest boot: its start in milliseconds since 1970, rising.</summary>
    public long BootId { get; init; }

    /// <summary>The boot whose token was used, and the kernel that used it.</summary>
    public long SessionBootId { get; init; }

    public string SessionKernelId { get; init; } = "";

    public InstallRecord? Installed { get; init; }

    public InstallAttempt? Attempt { get; init; }

    public long RestartedGeneration { get; init; }

    public DateTimeOffset? LastReportAt { get; init; }

    public DateTimeOffset? LastSeenAt { get; init; }

    public string ReportedKernelId { get; init; } = "";

    public string SshHostKey { get; init; } = "";

    public WatchdogRecord Watchdog { get; init; } = new();

    /// <summary>The port that the bridge tables show for this board's MAC address.</summary>
    public string? FoundPowerDevice { get; init; }

    public string? FoundPowerPort { get; init; }

    /// <summary>What its port was last set to; null if never touched.</summary>
    public bool? PowerSet { get; init; }

    /// <summary>A power operation that was begun: carried on after a restart of the daemon.</summary>
    public PowerOperation? Power { get; init; }
}

/// <summary>What is on the disk, by the installer's last word.</summary>
public sealed record InstallRecord(
    string Image, string Digest, string Disk, int RootPartition, string RootFileSystem, long Generation,
    DateTimeOffset At);

/// <summary>An install under way or given up.</summary>
public sealed record InstallAttempt
{
    public required long Generation { get; init; }

    public required string Image { get; init; }

    public required string Digest { get; init; }

    public required string Disk { get; init; }

    public long DiskBytes { get; init; }

    public string DiskSerial { get; init; } = "";

    public DateTimeOffset StartedAt { get; init; }

    /// <summary>How often it failed; a power cut is no failure.</summary>
    public int Failures { get; init; }

    public string Step { get; init; } = "";

    public long DoneBytes { get; init; }

    public long TotalBytes { get; init; }

    public string Message { get; init; } = "";

    /// <summary>Some chunk was written: a next try compares before it fetches.</summary>
    public bool Wrote { get; init; }

    /// <summary>It failed and is not being tried at present.</summary>
    public bool Failed { get; init; }

    /// <summary>After a failure: not before this; null if it was given up.</summary>
    public DateTimeOffset? RetryAt { get; init; }
}

/// <summary>The watchdog's account of one stall; forgotten when the node runs.</summary>
public sealed record WatchdogRecord(int Tries = 0, DateTimeOffset? LastAt = null);

/// <summary>
/// A power cycle: off now, on at a stated time. Durable, so that a killed daemon does not leave a board dark.
/// </summary>
public sealed record PowerOperation(string Why, DateTimeOffset StartedAt, DateTimeOffset OnAt, bool OffDone);
