using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Sockets;

public sealed class PortDoorTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task A_port_that_is_taken_is_tried_again_until_it_is_free()
    {
        using var squatter = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)squatter.Client.LocalEndPoint!).Port;
        using var stop = new CancellationTokenSource();
        var door = Door(port, null);
        var running = door.RunAsync((_, token) => Task.Delay(Timeout.InfiniteTimeSpan, _clock, token), stop.Token);
        Assert.False(door.Listening.IsCompleted);
        squatter.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(port, (await door.Listening.WaitAsync(TestContext.Current.CancellationToken)).Port);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task An_interface_that_is_not_there_is_waited_for_without_end()
    {
        using var stop = new CancellationTokenSource();
        var door = Door(0, "bramble-none");
        var running = door.RunAsync((_, _) => throw new InvalidOperationException("never served"), stop.Token);
        _clock.Advance(TimeSpan.FromMinutes(5));
        Assert.False(door.Listening.IsCompleted);
        Assert.False(running.IsCompleted);
        await stop.CancelAsync();
        await running;
        Assert.True(door.Listening.IsCanceled);
    }

    [Fact]
    public async Task A_socket_fault_opens_the_door_anew_and_any_other_fault_ends_it()
    {
        var served = 0;
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var door = Door(0, null);
        var running = door.RunAsync((_, _) =>
        {
            if (++served == 1) throw new SocketException((int)SocketError.NetworkDown);
            again.SetResult();
            throw new InvalidOperationException("a bug");
        }, CancellationToken.None);
        // The old socket is put away before the wait begins: give it the turns that it takes.
        while (!again.Task.IsCompleted)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await Assert.ThrowsAsync<InvalidOperationException>(() => running);
    }

    [Fact]
    public void A_door_can_be_bound_to_one_interface()
    {
        var binding = new LocalBinding(RecordingBootDirectory.Loopback, "lo");
        Assert.NotEqual(0u, binding.InterfaceIndex);
        try
        {
            using var socket = binding.Open(ProtocolType.Udp, 0);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            Assert.Skip("needs CAP_NET_RAW for SO_BINDTODEVICE");
        }
    }

    private PortDoor Door(int port, string? iface) => new(
        "test", new LocalBinding(RecordingBootDirectory.Loopback, iface), ProtocolType.Udp, port, _clock,
        NullLogger.Instance);
}
