namespace Bramble.Contracts.Nodes;

/// <summary>A node as the API shows it: what is wanted of it, and what was observed.</summary>
public sealed record NodeView
{
    /// <summary>Stable identity, never reused.</summary>
    public required long Id { get; init; }

    /// <summary>The small number people type: <c>restart 2 3 4</c>. Free to change, unique.</summary>
    public required int Number { get; init; }

    public required string Name { get; init; }

    public required string Mac { get; init; }

    public string Serial { get; init; } = "";

    public string Model { get; init; } = "";

    public string Maker { get; init; } = "";

    /// <summary>Octets; 0 if unknown.</summary>
    public long MemoryBytes { get; init; }

    /// <summary><c>arm64</c>, <c>armhf</c>, <c>amd64</c>, or empty until the installer has said so.</summary>
    public string Architecture { get; init; } = "";

    public string Network { get; init; } = "";

    public string? Address { get; init; }

    public required NodePhase Phase { get; init; }

    public DateTimeOffset PhaseSince { get; init; }

    /// <summary>
    /// One sentence on the present state; for <c>failed</c> and <c>lost</c>, where it stopped and why.
    /// </summary>
    public string Verdict { get; init; } = "";

    public required NodeSpecView Spec { get; init; }

    public InstalledView? Installed { get; init; }

    public ProgressView? Progress { get; init; }

    public IReadOnlyList<DiskView> Disks { get; init; } = [];

    public DateTimeOffset? LastReportAt { get; init; }

    public DateTimeOffset? LastSeenAt { get; init; }

    /// <summary>
    /// The public SSH host key that the installed system will show, as one line of known_hosts' key part.
    /// </summary>
    public string SshHostKey { get; init; } = "";

    /// <summary>Power cycles that the watchdog has spent on the present stall.</summary>
    public int WatchdogTries { get; init; }
}

/// <summary>What the operator wants.</summary>
public sealed record NodeSpecView
{
    public required NodeGoal Goal { get; init; }

    /// <summary>The image to be installed; null for none yet.</summary>
    public string? Image { get; init; }

    /// <summary>The disk rule, e.g. <c>/dev/mmcblk0</c> or <c>only &gt;= 4GB</c>.</summary>
    public string Disk { get; init; } = "";

    /// <summary>Rises with each wish to install anew.</summary>
    public long Generation { get; init; }

    public string? ReservedAddress { get; init; }

    public string? PowerDevice { get; init; }

    public string? PowerPort { get; init; }

    /// <summary>Wanted power: <c>on</c> or <c>off</c>.</summary>
    public string Power { get; init; } = "on";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

/// <summary>What is on the node's disk, by its installer's word.</summary>
public sealed record InstalledView(string Image, string Digest, string Disk, long Generation, DateTimeOffset At);

/// <summary>How far an install is.</summary>
public sealed record ProgressView(string Step, long DoneBytes, long TotalBytes, string Message);

/// <summary>A disk that the installer saw on the board.</summary>
public sealed record DiskView(string Path, long SizeBytes, string Bus, bool ReadOnly, string Serial);

/// <summary>A change of a node's spec; a null member stays as it is, an empty string clears.</summary>
public sealed record NodePatch
{
    public string? Name { get; init; }

    public int? Number { get; init; }

    public string? Image { get; init; }

    public string? Disk { get; init; }

    public string? ReservedAddress { get; init; }

    public string? PowerDevice { get; init; }

    public string? PowerPort { get; init; }

    /// <summary>Labels to set; an empty value removes the label.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>Adds a node before it was ever heard.</summary>
public sealed record NodeCreate(string Mac, string? Name = null, string? Address = null);
