using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot;

/// <summary>
/// One open descriptor that every reader of the same file shares; closed with the last of them. Plain reads from the
/// page cache, not a memory map: a file that is cut short under a map would kill the process with SIGBUS.
/// </summary>
internal sealed class SharedFile(SafeFileHandle handle, FileIdentity identity)
{
    private int _holders = 1;

    public SafeFileHandle Handle => handle;

    public long Length { get; } = (long)identity.Size;

    public string Tag { get; } =
        $"{identity.DeviceMajor:x}.{identity.DeviceMinor:x}-{identity.Inode:x}"
        + $"-{identity.ModifiedSeconds:x}.{identity.ModifiedNanoseconds:x}-{identity.Size:x}";

    /// <summary>Takes a share; false if the last holder has just let go and the file is closed.</summary>
    public bool TryHold()
    {
        while (true)
        {
            var holders = Volatile.Read(ref _holders);
            if (holders == 0) return false;
            if (Interlocked.CompareExchange(ref _holders, holders + 1, holders) == holders) return true;
        }
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0) handle.Dispose();
    }

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset >= Length) return 0;
        if (buffer.Length > Length - offset) buffer = buffer[..(int)(Length - offset)];
        var done = 0;
        while (done < buffer.Length)
        {
            var n = RandomAccess.Read(handle, buffer[done..], offset + done);
            if (n == 0) throw new IOException("the file became shorter while it was read");
            done += n;
        }
        return done;
    }
}

/// <summary>One reader's share of an open file.</summary>
/// <param name="isSettled">Last changed so long ago that a further change would show in the file's times.</param>
internal sealed class SharedFileContent(SharedFile file, bool isSettled) : IBootContent
{
    private int _disposed;

    public long Length => file.Length;

    public string Tag => file.Tag;

    public bool MayBeKept => isSettled;

    public IReadOnlyList<FileExtent> Extents => [new FileExtent(file.Handle, 0, file.Length)];

    public int Read(long offset, Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return file.Read(offset, buffer);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) file.Release();
    }
}
