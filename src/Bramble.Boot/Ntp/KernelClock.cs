using System.Runtime.InteropServices;
using Bramble.Wire.Ntp;

namespace Bramble.Boot.Ntp;

/// <summary>What the kernel knows of this host's clock.</summary>
/// <param name="Synchronized">Some daemon keeps it (ntpd, chronyd, systemd-timesyncd).</param>
/// <param name="MaxError">How far off it may be.</param>
internal readonly partial record struct KernelClock(bool Synchronized, TimeSpan MaxError, NtpLeap Leap)
{
    public static readonly KernelClock Unsynchronized = new(false, TimeSpan.Zero, NtpLeap.None);

    /// <summary>
    /// Asks with adjtimex(2), which needs no privilege to read. A kernel that refuses counts as not set.
    /// </summary>
    public static KernelClock Read() => Native.Read();

    private static partial class Native
    {
        private const int InsertLeap = 0x10; // STA_INS
        private const int DeleteLeap = 0x20; // STA_DEL
        private const int NotSynchronized = 0x40; // STA_UNSYNC
        private const int TimeError = 5; // TIME_ERROR

        // More than sizeof(struct timex) on any architecture: 208 octets with 64-bit longs, 128 with 32-bit ones.
        private const int BufferSize = 256;

        public static KernelClock Read()
        {
            // struct timex: unsigned modes; long offset, freq, maxerror, esterror; int status; ... modes 0 only reads.
            Span<byte> timex = stackalloc byte[BufferSize];
            timex.Clear();
            var state = Adjtimex(timex);
            if (state is < 0 or TimeError) return Unsynchronized;
            var word = IntPtr.Size;
            var status = MemoryMarshal.Read<int>(timex[(5 * word)..]);
            if ((status & NotSynchronized) != 0) return Unsynchronized;
            var microseconds = word == 8
                ? MemoryMarshal.Read<long>(timex[(3 * word)..])
                : MemoryMarshal.Read<int>(timex[(3 * word)..]);
            var leap = (status & InsertLeap) != 0 ? NtpLeap.LastMinuteHas61Seconds
                : (status & DeleteLeap) != 0 ? NtpLeap.LastMinuteHas59Seconds : NtpLeap.None;
            return new KernelClock(true, TimeSpan.FromMicroseconds(Math.Clamp(microseconds, 0, 16_000_000)), leap);
        }

        [LibraryImport("libc", EntryPoint = "adjtimex")]
        private static partial int Adjtimex(Span<byte> timex);
    }
}
