using System.Text.Json.Serialization;

namespace Bramble.Boot.Images;

/// <summary>A whole-disk image in the store, with all that was found out about it when it was added.</summary>
public sealed record BootImage
{
    public required string Name { get; init; }

    /// <summary>SHA-256 of the raw disk, 64 hex digits.</summary>
    public required string Digest { get; init; }

    /// <summary>Octets of the raw disk; the least that a target disk must have.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Octets of each chunk of the index but the last.</summary>
    public required int ChunkBytes { get; init; }

    /// <summary><c>arm64</c>, <c>armhf</c>, <c>amd64</c> or <c>unknown</c>.</summary>
    public required string Architecture { get; init; }

    public required PartitionScheme Scheme { get; init; }

    /// <summary>The MBR signature (8 hex digits) or the GPT disk GUID.</summary>
    public required string DiskId { get; init; }

    public required IReadOnlyList<ImagePartition> Partitions { get; init; }

    public required ImagePartition RootPartition { get; init; }

    /// <summary>The FAT partition that a board boots from; null if there is none.</summary>
    public ImagePartition? BootPartition { get; init; }

    /// <summary>The kernels whose modules the root holds.</summary>
    public IReadOnlyList<string> KernelVersions { get; init; } = [];

    /// <summary>The installer's initramfs by architecture, once built.</summary>
    public IReadOnlyDictionary<string, ImageInitramfs> Initramfs { get; init; } =
        new Dictionary<string, ImageInitramfs>();

    /// <summary>Whether the root file system can be grown by the tools that it holds itself.</summary>
    public bool CanGrow { get; init; }

    /// <summary>Where it came from: a file name, a URL or a recipe.</summary>
    public string Source { get; init; } = "";

    public DateTimeOffset AddedAt { get; init; }

    /// <summary>PRETTY_NAME of the root's os-release; empty if unknown.</summary>
    public string OsName { get; init; } = "";

    /// <summary>What an operator should know: what cannot be done with this image, and why.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A partition of an image.</summary>
/// <param name="FileSystem"><c>vfat</c>, <c>ext4</c>, <c>btrfs</c>, … as Linux names it; empty if not
/// recognised.</param>
/// <param name="Label">The file system's label.</param>
public sealed record ImagePartition(
    int Number, string Type, string Name, string FileSystem, string Label, long OffsetBytes, long SizeBytes);

/// <summary>A built initramfs.</summary>
/// <param name="Sha256">Of the file as it is served.</param>
/// <param name="Inputs">Changes with whatever goes in; an other value asks for a new build.</param>
public sealed record ImageInitramfs(string Sha256, long Size, string Inputs);

/// <summary>What the operator says about an image that is added.</summary>
/// <param name="Sha256">The published checksum, of the file as it is or of the decompressed disk; null to take it as
/// it comes.</param>
/// <param name="Architecture">Overrides what the image's programs show.</param>
/// <param name="Source">Recorded as the origin; null for the file name.</param>
public sealed record ImageAddOptions(string? Sha256 = null, string? Architecture = null, string? Source = null);

/// <summary>How far an addition has come.</summary>
/// <param name="TotalBytes">Null while unknown.</param>
public readonly record struct ImageProgress(string Stage, long DoneBytes, long? TotalBytes);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(BootImage))]
internal sealed partial class BootImageJson : JsonSerializerContext;
