namespace Bramble.System.Tests.Rack;

/// <summary>
/// A disk of the test's own for the manager's state, which can be filled and made read-only; gone with the test.
/// </summary>
internal sealed class StateDisk : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bramble-disk-").FullName;

    public string At => Path.Combine(_directory, "at");

    private string Ballast => Path.Combine(At, "ballast");

    /// <summary>A small disk in memory.</summary>
    public static async Task<StateDisk> SmallAsync(string size)
    {
        var disk = new StateDisk();
        Directory.CreateDirectory(disk.At);
        await disk.MountAsync("-t", "tmpfs", "-o", $"size={size}", "tmpfs");
        return disk;
    }

    /// <summary>
    /// ext4 on a loop device. It can be made to refuse writes to files that are open, as a disk does that fails: it
    /// holds to the immutable flag there. To remount it read-only, the kernel wants them closed.
    /// </summary>
    public static async Task<StateDisk> Ext4Async()
    {
        var disk = new StateDisk();
        Directory.CreateDirectory(disk.At);
        var image = Path.Combine(disk._directory, "image");
        await Programs.RunAsync("/usr/bin/truncate", "--size=64M", image);
        await Programs.RunAsync("/usr/sbin/mkfs.ext4", "-q", image);
        await disk.MountAsync("-o", "loop", image);
        return disk;
    }

    /// <summary>Fills it to the last block.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            var block = new byte[4096];
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void Free() => File.Delete(Ballast);

    /// <summary>For a disk whose files nobody has open: the kernel refuses it otherwise.</summary>
    public Task RemountAsync(string how) => Programs.RunAsync("/usr/bin/mount", "-o", $"remount,{how}", At);

    /// <summary>
    /// Refuses, or takes again, every write to a directory on it and to the store's files, which brambled has open. The
    /// store's shared memory is left out: a page that cannot be written any more is a SIGBUS to who writes to it.
    /// </summary>
    public static Task RefuseWritesAsync(string state, bool refuse) => Programs.RunAsync("/usr/bin/chattr",
        [refuse ? "+i" : "-i", Path.Combine(state, "bramble.db"), Path.Combine(state, "bramble.db-wal"), state]);

    public async ValueTask DisposeAsync()
    {
        await Programs.RunAsync("/usr/bin/umount", "-l", At);
        Directory.Delete(_directory, recursive: true);
    }

    private async Task MountAsync(params string[] arguments)
    {
        try
        {
            await Programs.RunAsync("/usr/bin/mount", [.. arguments, At]);
        }
        catch (InvalidOperationException e)
        {
            Directory.Delete(_directory, recursive: true);
            Assert.Skip($"needs leave to mount a disk: {e.Message}");
        }
    }
}
