using System.Globalization;
using Bramble.Contracts.Installer;
using Bramble.Lab.Disks;

namespace Bramble.Lab.Installer;

/// <summary>A piece to be written: where, how long, and what it must be (null: zeros).</summary>
internal readonly record struct InstallPiece(int Index, long Offset, int Length, ChunkDigest? Digest);

/// <summary>An <c>install</c> plan, read strictly: what cannot be understood must not reach a disk.</summary>
internal sealed record InstallPlan(
    string Job, bool Resume, string Disk, long DiskSize, string? DiskSerial, int ChunkBytes, int ChunkCount, bool Gzip,
    IReadOnlyList<InstallPiece> Patches, long OverlayLength, ChunkDigest OverlayDigest)
{
    /// <exception cref="FormatException">Says which line is wrong.</exception>
    public static InstallPlan Read(InstallerMessage plan)
    {
        var patches = new List<InstallPiece>();
        foreach (var line in plan.All("patch"))
        {
            var words = Split(line);
            if (words.Length != 4 || !Number(words[0], out var index) || !Number(words[1], out var offset)
                || !Number(words[2], out var length) || length > 64 << 20
                || !ChunkDigest.TryParse(words[3], out var digest))
                throw new FormatException($"the plan's patch '{line}' is not INDEX OFFSET LENGTH SHA256");
            patches.Add(new InstallPiece((int)index, offset, (int)length, digest));
        }
        var overlay = Split(plan["overlay"] ?? "");
        if (overlay.Length != 2 || !Number(overlay[0], out var octets)
            || !ChunkDigest.TryParse(overlay[1], out var overlayDigest))
            throw new FormatException("the plan's overlay is not OCTETS SHA256");
        if (plan.Number("root-partition") is null) throw new FormatException("the plan has no root-partition");
        return new InstallPlan(
            plan["job"] ?? throw new FormatException("the plan has no job"), plan["resume"] == "1",
            plan["disk"] ?? throw new FormatException("the plan has no disk"), Need(plan, "disk-size"),
            plan["disk-serial"], (int)Need(plan, "chunk-bytes"), (int)Need(plan, "chunk-count"),
            plan["chunk-gzip"] == "1", patches, octets, overlayDigest);
    }

    /// <summary>Reads the chunk list: <c>INDEX LENGTH SHA256</c> or <c>INDEX LENGTH zero</c>.</summary>
    /// <exception cref="FormatException">Says which line is wrong.</exception>
    public IReadOnlyList<InstallPiece> ReadChunks(string list)
    {
        var pieces = new List<InstallPiece>(ChunkCount);
        foreach (var range in list.AsSpan().Split('\n'))
        {
            var line = list[range].Trim();
            if (line.Length == 0) continue;
            var words = Split(line);
            ChunkDigest? digest = null;
            if (words.Length != 3 || !Number(words[0], out var index) || !Number(words[1], out var length)
                || index != pieces.Count || length is 0 || length > ChunkBytes
                || (words[2] != "zero" && !ChunkDigest.TryParse(words[2], out digest)))
                throw new FormatException($"the chunk list's line '{line}' is not INDEX LENGTH SHA256");
            pieces.Add(new InstallPiece((int)index, index * ChunkBytes, (int)length, digest));
        }
        return pieces.Count == ChunkCount
            ? pieces
            : throw new FormatException($"the chunk list has {pieces.Count} lines; the plan says {ChunkCount}");
    }

    private static long Need(InstallerMessage plan, string key) =>
        plan.Number(key) ?? throw new FormatException($"the plan has no {key}");

    private static string[] Split(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool Number(string word, out long number) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
