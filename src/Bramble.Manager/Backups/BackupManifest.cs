using System.Text.Json.Serialization;

namespace Bramble.Manager.Backups;

/// <summary>
/// The first entry of an archive: what it takes to read the rest. A reader that is too old finds out here, before it
/// has unpacked anything.
/// </summary>
public sealed record BackupHead
{
    public const string Name = "bramble-backup.json";

    /// <summary>The form of the archive that this program writes, and the newest that it reads.</summary>
    public const int NewestFormat = 1;

    public required int Format { get; init; }

    /// <summary>The version of the brambled that wrote it.</summary>
    public required string Product { get; init; }

    /// <summary>The schema of its database.</summary>
    public required int Schema { get; init; }

    public required string Cluster { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>All images that there were, whether or not they are in the archive.</summary>
    public IReadOnlyList<BackupImage> Images { get; init; } = [];
}

/// <param name="Digest">SHA-256 of its raw disk, hex.</param>
/// <param name="Included">Whether its files are in the archive.</param>
public sealed record BackupImage(string Name, string Digest, bool Included);

/// <summary>The last entry: every file before it. An archive that was cut short has none.</summary>
public sealed record BackupManifest
{
    public const string Name = "manifest.json";

    public required IReadOnlyList<BackupFile> Files { get; init; }
}

/// <param name="Sha256">Hex.</param>
public sealed record BackupFile(string Path, long Size, string Sha256);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BackupHead))]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>A backup that cannot be made or put back. The message says what was wrong and what to do.</summary>
public sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);
