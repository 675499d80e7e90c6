namespace Bramble.Contracts.Images;

/// <summary>An image in the store.</summary>
public sealed record ImageView
{
    public required string Name { get; init; }

    /// <summary>SHA-256 of the raw disk, hex.</summary>
    public required string Digest { get; init; }

    public required long SizeBytes { get; init; }

    public required string Architecture { get; init; }

    public string OsName { get; init; } = "";

    public string Source { get; init; } = "";

    public DateTimeOffset AddedAt { get; init; }

    public IReadOnlyList<PartitionView> Partitions { get; init; } = [];

    public IReadOnlyList<string> KernelVersions { get; init; } = [];

    public bool CanGrow { get; init; }

    /// <summary>Names of the nodes that want it or have it installed.</summary>
    public IReadOnlyList<string> UsedBy { get; init; } = [];
}

public sealed record PartitionView(int Number, string Type, string FileSystem, string Label, long OffsetBytes,
    long SizeBytes);

/// <summary>A long job on the image store; it survives a restart of the daemon.</summary>
public sealed record ImageJobRequest
{
    /// <summary><c>fetch</c> or <c>build-debian</c>.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    /// <summary>For fetch: an http or https URL.</summary>
    public string? Url { get; init; }

    /// <summary>For fetch: the expected SHA-256 of the file as it is served, hex.</summary>
    public string? Sha256 { get; init; }

    /// <summary>For build-debian: <c>arm64</c>, <c>amd64</c> or <c>armhf</c>.</summary>
    public string? Architecture { get; init; }

    /// <summary>For build-debian: <c>bookworm</c>; null for the manager's own.</summary>
    public string? Suite { get; init; }

    /// <summary>For build-debian: further packages.</summary>
    public IReadOnlyList<string> Packages { get; init => field = value ?? []; } = [];

    /// <summary>For build-debian: leave out what a headless board does not use.</summary>
    public bool Slim { get; init; }
}

/// <param name="State"><c>queued running done failed</c>.</param>
public sealed record ImageJobView(
    long Id, string Kind, string Name, string State, string Message, long DoneBytes, long TotalBytes,
    DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);
