using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Boot.Sockets;

/// <summary>
/// The system calls that the framework's sockets lack: many datagrams in one call, and readiness of many sockets on
/// one thread. Pointers and size_t have the machine's width, so that each struct has the kernel's layout on x64,
/// arm64 and 32-bit arm alike.
/// </summary>
internal static unsafe partial class LinuxSockets
{
    public const int SOL_UDP = 17;
    public const int UDP_SEGMENT = 103;
    public const int MSG_DONTWAIT = 0x40;

    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EAGAIN = 11;
    public const int EINVAL = 22;
    public const int EMSGSIZE = 90;
    public const int ENOPROTOOPT = 92;

    private const int AddToSet = 1; // EPOLL_CTL_ADD
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC, EFD_CLOEXEC
    private const uint Readable = 1; // EPOLLIN

    /// <summary>struct epoll_event is packed on x64 alone.</summary>
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    /// <summary>struct iovec.</summary>
    public struct Extent
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>struct msghdr.</summary>
    public struct Header
    {
        public byte* Name;
        public uint NameLength;
        public Extent* Extents;
        public nuint ExtentCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct mmsghdr. The header is a struct of its own in it, because it ends in padding.</summary>
    public struct Message
    {
        public Header Header;
        public uint Transferred;
    }

    /// <summary>struct cmsghdr with two octets of data, padded to the machine's width (CMSG_SPACE(2)).</summary>
    public struct SegmentControl
    {
        public nuint Length;
        public int Level;
        public int Type;
        public nuint Data;

        /// <summary>CMSG_LEN(2).</summary>
        public static nuint UsedLength => (nuint)(sizeof(nuint) + 2 * sizeof(int) + sizeof(ushort));
    }

    public static SafeFileHandle NewReadinessSet() => Checked(EpollCreate(CloseOnExec));

    public static SafeFileHandle NewWakeUp() => Checked(EventFd(0, CloseOnExec));

    /// <summary>Has <see cref="WaitReady"/> give this number when the handle can be read from.</summary>
    public static void Watch(SafeFileHandle set, SafeHandle handle, uint number)
    {
        var entry = stackalloc byte[16];
        NativeMemory.Clear(entry, 16);
        *(uint*)entry = Readable;
        *(uint*)(entry + EventSize - 8) = number;
        if (EpollControl(set, AddToSet, handle, entry) != 0) throw Failure();
    }

    /// <summary>Waits until something can be read; gives the numbers of what can.</summary>
    public static int WaitReady(SafeFileHandle set, Span<uint> numbers)
    {
        const int most = 32;
        var entries = stackalloc byte[16 * most];
        var count = EpollWait(set, entries, Math.Min(numbers.Length, most), -1);
        if (count < 0) return Marshal.GetLastPInvokeError() == EINTR ? 0 : throw Failure();
        for (var i = 0; i < count; i++)
            numbers[i] = *(uint*)(entries + i * EventSize + EventSize - 8);
        return count;
    }

    public static void Wake(SafeFileHandle wakeUp)
    {
        ulong one = 1;
        _ = Write(wakeUp, &one, sizeof(ulong));
    }

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMany(SafeHandle socket, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(SafeHandle socket, Message* messages, uint count, int flags, nint timeout);

    private static SafeFileHandle Checked(SafeFileHandle handle)
    {
        if (!handle.IsInvalid) return handle;
        var failure = Failure();
        handle.Dispose();
        throw failure;
    }

    private static IOException Failure() => new(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial SafeFileHandle EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(SafeFileHandle set, int operation, SafeHandle handle, byte* entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int EpollWait(SafeFileHandle set, byte* entries, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial SafeFileHandle EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle handle, void* data, nuint length);
}
