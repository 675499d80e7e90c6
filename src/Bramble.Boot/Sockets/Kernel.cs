using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Bramble.Boot.Sockets;

/// <summary>The kernel's own word for what went wrong, as the framework's exception.</summary>
internal static class Kernel
{
    public static SocketException Refused(int errno) => new(errno switch
    {
        1 => (int)SocketError.AccessDenied,
        11 => (int)SocketError.TimedOut,
        19 or 100 => (int)SocketError.NetworkDown,
        101 => (int)SocketError.NetworkUnreachable,
        105 => (int)SocketError.NoBufferSpaceAvailable,
        113 => (int)SocketError.HostUnreachable,
        _ => (int)SocketError.SocketError,
    }, Marshal.GetPInvokeErrorMessage(errno));
}
