namespace Bramble.Lab.Disks;

/// <summary>A board's card, as far as an installer sees it. It outlives power cuts.</summary>
internal interface IBoardDisk : IDisposable
{
    /// <summary>Octets.</summary>
    long Size { get; }

    bool IsReadOnly { get; }

    /// <summary>Whether the first 64 KiB are all zeros: no partition table, no file system.</summary>
    bool IsBlank { get; }

    /// <summary>What was installed last and is still whole; null after any write to the disk since.</summary>
    InstalledRoot? Root { get; set; }

    /// <summary>Whether the octets themselves are needed, or their digest is enough.</summary>
    bool NeedsData { get; }

    /// <summary>Writes octets, or what is known of them.</summary>
    /// <param name="data">Empty if <see cref="NeedsData"/> is false or if they are all zero.</param>
    /// <param name="digest">SHA-256; null for zeros.</param>
    /// <exception cref="IOException">The medium refuses, in a tool's words.</exception>
    ValueTask WriteAsync(
        long offset, int length, ReadOnlyMemory<byte> data, ChunkDigest? digest, CancellationToken cancellation);

    /// <summary>Whether the disk holds, from the offset on, what has this digest (null: zeros).</summary>
    ValueTask<bool> HoldsAsync(long offset, int length, ChunkDigest? digest, CancellationToken cancellation);
}

/// <summary>What the overlay has made of a disk: enough for the installed system to report in.</summary>
internal sealed record InstalledRoot(
    string ReportUrl, string Node, string Job, string Credential, string HostName, IReadOnlyList<string> HostKeys);
