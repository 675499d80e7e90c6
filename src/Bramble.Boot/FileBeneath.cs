using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot;

/// <summary>What tells one state of a file from another: same inode, same time and size means the same bytes.</summary>
internal readonly record struct FileIdentity(
    uint DeviceMajor, uint DeviceMinor, ulong Inode, long ModifiedSeconds, uint ModifiedNanoseconds, ulong Size);

/// <summary>Why a file was not taken.</summary>
internal enum FileBeneathRefusal
{
    None,
    NotFound,
    LeavesRoot,
    NotRegular,
}

/// <summary>
/// Finds a file under a root so that no symbolic link leads out. The path is resolved to an <c>O_PATH</c> descriptor,
/// which touches no content and triggers no device; only when the kernel says that this very object lies beneath the
/// root and is a regular file is it opened, through the descriptor. Nothing can be swapped in between.
/// Links that stay inside the root are followed, absolute ones too, which openat2's RESOLVE_BENEATH would refuse.
/// </summary>
internal sealed partial class FileBeneath : IDisposable
{
    // The same numbers on x86, arm and arm64.
    private const int OpenPath = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC
    private const int OpenRead = 0x80000; // O_RDONLY | O_CLOEXEC
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7ff;
    private const int TypeMask = 0xf000;
    private const int RegularFile = 0x8000;
    private const int PathLimit = 4096;

    private const int ENOENT = 2;
    private const int ENOTDIR = 20;
    private const int ENAMETOOLONG = 36;
    private const int ELOOP = 40;

    private readonly SafeFileHandle _found;
    private readonly string _path;

    private FileBeneath(SafeFileHandle found, string path, FileIdentity identity)
    {
        _found = found;
        _path = path;
        Identity = identity;
    }

    public FileIdentity Identity { get; }

    /// <exception cref="IOException">
    /// The root or the file cannot be looked at: permission, medium, descriptors.
    /// </exception>
    public static FileBeneathRefusal Find(string root, string path, out FileBeneath? file)
    {
        file = null;
        using var rootHandle = Open(root) ?? throw new IOException($"the boot tree {root} is not there");
        var found = Open(root + "/" + path);
        if (found is null) return FileBeneathRefusal.NotFound;
        try
        {
            var refusal = Check(rootHandle, found, path, out var identity);
            if (refusal == FileBeneathRefusal.None) file = new FileBeneath(found, path, identity);
            return refusal;
        }
        finally
        {
            if (file is null) found.Dispose();
        }
    }

    /// <summary>
    /// Opens the file for reading. Not with <see cref="File.OpenHandle"/>, which takes an advisory lock that would keep
    /// whoever maintains the tree with .NET from writing to it.
    /// </summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public SafeFileHandle OpenContent()
    {
        var handle = OpenNative(ProcPath(_found), OpenRead);
        if (!handle.IsInvalid) return handle;
        var failure = Failure(_path);
        handle.Dispose();
        throw failure;
    }

    public void Dispose() => _found.Dispose();

    private static FileBeneathRefusal Check(
        SafeFileHandle root, SafeFileHandle found, string path, out FileIdentity identity)
    {
        identity = default;
        var rootPath = RealPath(root);
        var foundPath = RealPath(found);
        if (rootPath != "/" && !foundPath.StartsWith(rootPath + "/", StringComparison.Ordinal))
            return FileBeneathRefusal.LeavesRoot;
        if (Statx(found, "", AtEmptyPath, StatxBasic, out var stat) != 0) throw Failure(path);
        identity = new FileIdentity(
            stat.DeviceMajor, stat.DeviceMinor, stat.Inode, stat.ModifiedSeconds, stat.ModifiedNanoseconds, stat.Size);
        return (stat.Mode & TypeMask) == RegularFile ? FileBeneathRefusal.None : FileBeneathRefusal.NotRegular;
    }

    private static SafeFileHandle? Open(string path)
    {
        var handle = OpenNative(path, OpenPath);
        if (!handle.IsInvalid) return handle;
        var errno = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return errno is ENOENT or ENOTDIR or ENAMETOOLONG or ELOOP ? null : throw Failure(path);
    }

    private static string RealPath(SafeFileHandle handle)
    {
        Span<byte> buffer = stackalloc byte[PathLimit];
        var length = ReadLink(ProcPath(handle), buffer, buffer.Length);
        return length < 0 ? throw Failure("/proc/self/fd") : Encoding.UTF8.GetString(buffer[..(int)length]);
    }

    private static string ProcPath(SafeFileHandle handle) => $"/proc/self/fd/{handle.DangerousGetHandle()}";

    private static IOException Failure(string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenNative(string path, int flags);

    [LibraryImport("libc", EntryPoint = "readlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint ReadLink(string path, Span<byte> buffer, nint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(
        SafeFileHandle directory, string path, int flags, uint mask, out StatxResult result);

    /// <summary>struct statx of linux/stat.h: one layout on every architecture, unlike struct stat.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxResult
    {
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(112)] public long ModifiedSeconds;
        [FieldOffset(120)] public uint ModifiedNanoseconds;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
