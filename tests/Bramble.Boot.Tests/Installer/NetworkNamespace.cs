using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Bramble.Testing;

namespace Bramble.Boot.Tests.Installer;

/// <summary>Opens sockets inside a named network namespace: a socket belongs to that of its thread.</summary>
internal static class NetworkNamespace
{
    private const int NetworkKind = 0x40000000; // CLONE_NEWNET

    public static Socket Listen(string? name, IPEndPoint at)
    {
        Socket? socket = null;
        Exception? error = null;
        // A thread of its own, which ends: no other work ever runs in the foreign namespace.
        var thread = new Thread(() =>
        {
            try
            {
                if (name is not null)
                {
                    using var space = File.OpenHandle("/run/netns/" + name);
                    if (Enter(space, NetworkKind) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
                }
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(at);
                socket.Listen(16);
            }
            catch (Exception e)
            {
                error = e;
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        thread.JoinWithin($"a socket in the network namespace {name}");
        return error is null ? socket! : throw new InvalidOperationException("No socket in the namespace.", error);
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Enter(SafeHandle space, int kind);
}
