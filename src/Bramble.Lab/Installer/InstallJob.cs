using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using Bramble.Lab.Boards;
using Bramble.Lab.Disks;

namespace Bramble.Lab.Installer;

/// <summary>What to do after an install has ended or was called off.</summary>
internal enum InstallEnd
{
    AskPlan,
    Reboot,
}

/// <summary>One install, step by step as the protocol says.</summary>
internal sealed class InstallJob(BoardRun run, ManagerClient manager, InstallPlan plan)
{
    private const int PieceSize = 1 << 16;

    private readonly Progress _progress = new(run, manager, plan.Job);

    private long Total { get; set; }

    public async Task<InstallEnd> RunAsync()
    {
        try
        {
            var chunks = await PrepareAsync();
            await WriteAsync(chunks);
            await VerifyAsync(chunks);
            await PatchAsync();
            await OverlayAsync();
            await StepAsync(BoardStage.Grow);
            run.Count(state => state with { Installs = state.Installs + 1 });
            await run.EnterAsync(BoardStage.Done);
            await _progress.DurableAsync("done", Total, Total, null);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException)
        {
            await run.EnterAsync(BoardStage.Failed, e.Message);
            try
            {
                await _progress.DurableAsync("failed", 0, Total, e.Message);
            }
            catch (InstallEndedException ended)
            {
                return ended.End;
            }
        }
        catch (InstallEndedException ended)
        {
            return ended.End;
        }
        return InstallEnd.AskPlan;
    }

    private async Task<IReadOnlyList<InstallPiece>> PrepareAsync()
    {
        await StepAsync(BoardStage.Check);
        var disk = run.Disk;
        if (disk.IsMissing || plan.Disk != "/dev/" + run.Spec.DiskName)
            throw new IOException($"{plan.Disk}: there is no such disk");
        if (disk.Size != plan.DiskSize)
            throw new IOException($"{plan.Disk}: has {disk.Size} octets, the plan says {plan.DiskSize}");
        if (plan.DiskSerial is { } serial && serial != run.Spec.DiskSerial)
            throw new IOException($"{plan.Disk}: is {run.Spec.DiskSerial}, the plan says {serial}");
        if (disk.IsReadOnly) throw new IOException($"{plan.Disk}: is write-protected");
        var chunks = plan.ReadChunks(await manager.TextAsync($"/installer/v1/chunks/{plan.Job}"));
        Total = chunks.Sum(chunk => (long)chunk.Length);
        return chunks;
    }

    private async Task WriteAsync(IReadOnlyList<InstallPiece> chunks)
    {
        await StepAsync(BoardStage.Write);
        long done = 0;
        foreach (var chunk in chunks)
        {
            if (!plan.Resume || !await HoldsAsync(chunk)) await WriteAsync(chunk, ChunkPath(chunk), plan.Gzip);
            done += chunk.Length;
            await _progress.AtAsync(BoardStage.Write, done, Total);
        }
    }

    private async Task VerifyAsync(IReadOnlyList<InstallPiece> chunks)
    {
        await StepAsync(BoardStage.Verify);
        long done = 0;
        foreach (var chunk in chunks)
        {
            if (!await HoldsAsync(chunk))
            {
                await WriteAsync(chunk, ChunkPath(chunk), plan.Gzip);
                if (!await HoldsAsync(chunk))
                    throw new IOException($"{plan.Disk}: octets {chunk.Offset} to {chunk.Offset + chunk.Length - 1} "
                        + "read back differently from what was written, twice");
            }
            done += chunk.Length;
            await _progress.AtAsync(BoardStage.Verify, done, Total);
        }
    }

    private async Task PatchAsync()
    {
        await StepAsync(BoardStage.Patch);
        foreach (var patch in plan.Patches)
        {
            await WriteAsync(patch, $"/installer/v1/patches/{plan.Job}/{patch.Index}", gzip: false);
            if (!await HoldsAsync(patch))
                throw new IOException($"{plan.Disk}: patch {patch.Index} reads back differently");
        }
    }

    private async Task OverlayAsync()
    {
        await StepAsync(BoardStage.Overlay);
        run.Disk.Root = await manager.DownloadAsync($"/installer/v1/overlay/{plan.Job}", async (stream, cancellation) =>
        {
            using var tar = new MemoryStream();
            await stream.CopyToAsync(tar, cancellation);
            var digest = ChunkDigest.Of(SHA256.HashData(tar.GetBuffer().AsSpan(0, (int)tar.Length)));
            if (tar.Length != plan.OverlayLength || !digest.Equals(plan.OverlayDigest))
                throw new IOException("the overlay is not the one that the plan names");
            tar.Position = 0;
            return OverlayTar.Read(tar);
        });
    }

    private async Task StepAsync(BoardStage stage)
    {
        await run.EnterAsync(stage);
        await _progress.StartAsync(stage, Total);
    }

    private ValueTask<bool> HoldsAsync(InstallPiece piece) =>
        run.Disk.HoldsAsync(piece.Offset, piece.Length, piece.Digest, run.Cancellation);

    private string ChunkPath(InstallPiece chunk) =>
        $"/installer/v1/chunks/{plan.Job}/{chunk.Index}{(plan.Gzip ? ".gz" : "")}";

    private async Task WriteAsync(InstallPiece piece, string path, bool gzip)
    {
        if (piece.Digest is null)
        {
            await WriteOutAsync(piece, default);
            return;
        }
        // The octets are kept only for a disk that wants them: a thousand boards hold a digest each.
        var data = run.Disk.NeedsData ? ArrayPool<byte>.Shared.Rent(piece.Length) : null;
        try
        {
            await manager.DownloadAsync(path, async (stream, cancellation) =>
            {
                await using var plain = gzip ? new GZipStream(stream, CompressionMode.Decompress) : stream;
                try
                {
                    await ReceiveAsync(piece, plain, data, cancellation);
                    return true;
                }
                catch (InvalidDataException e)
                {
                    throw new IOException($"chunk {piece.Index} came broken: {e.Message}", e);
                }
            });
            await WriteOutAsync(piece, data is null ? default : data.AsMemory(0, piece.Length));
        }
        finally
        {
            if (data is not null) ArrayPool<byte>.Shared.Return(data);
        }
    }

    private async Task WriteOutAsync(InstallPiece piece, ReadOnlyMemory<byte> data)
    {
        try
        {
            await run.Disk.WriteAsync(piece.Offset, piece.Length, data, piece.Digest, run.Cancellation);
            await run.WriteTimeAsync(piece.Length);
        }
        catch (IOException e)
        {
            throw new IOException($"{plan.Disk}: writing octet {piece.Offset}: {e.Message}", e);
        }
    }

    private static async Task ReceiveAsync(
        InstallPiece piece, Stream stream, byte[]? data, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PieceSize);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var length = 0;
            int n;
            while ((n = await stream.ReadAsync(buffer, cancellation)) > 0)
            {
                if (length + n > piece.Length) throw new IOException($"chunk {piece.Index} is too long");
                hash.AppendData(buffer.AsSpan(0, n));
                if (data is not null) buffer.AsSpan(0, n).CopyTo(data.AsSpan(length));
                length += n;
            }
            if (length != piece.Length) throw new IOException($"chunk {piece.Index} has {length} octets");
            if (Convert.ToHexStringLower(hash.GetHashAndReset()) != piece.Digest!.Hex)
                throw new IOException($"chunk {piece.Index} came with another SHA-256");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>The manager wants something else than the install that runs.</summary>
internal sealed class InstallEndedException(InstallEnd end) : Exception($"the manager wants {end}")
{
    public InstallEnd End => end;
}
