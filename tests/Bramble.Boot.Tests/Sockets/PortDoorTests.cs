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
        // More than one try may be needed: a program that another test starts at this moment inherits the squatter's
        // socket until it is executed.
        await Patience.UntilAsync(() => door.Listening.IsCompleted, "the port that is free now",
            () => _clock.Advance(TimeSpan.FromSeconds(1)));
        Assert.Equal(port, (await door.Listening).Port);
        await stop.CancelAsync();
        await running.WithinAsync("the door's end");
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
        await running.WithinAsync("the door's end");
        Assert.True(door.Listening.IsCanceled);
    }

    [Fact]
    public async Task A_socket_fault_opens_the_door_anew_and_any_other_fault_ends_it()
    {
        var served = 0;
        var door = Door(0, null);
        var running = door.RunAsync((_, _) =>
        {
            throw ++served == 1
                ? new SocketException((int)SocketError.NetworkDown) : new InvalidOperationException("a bug");
        }, CancellationToken.None);
        // The old socket is put away before the wait begins: give it the turns that it takes.
        await Patience.UntilAsync(() => running.IsCompleted, "the end by the second fault",
            () => _clock.Advance(TimeSpan.FromSeconds(1)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => running);
        Assert.Equal(2, served);
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

    [Fact]
    public async Task An_interface_that_takes_nothing_holds_up_its_server_for_a_moment_only()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        await using var space = await NetNamespace.CreateAsync();
        await space.InsideAsync("address", "add", "10.77.5.1/24", "dev", "lo");
        // One octet a second: what is sent stays in the send buffer.
        var shaped = await space.ExecAsync(Patience.Limit, "tc", "qdisc", "add", "dev", "lo", "root", "tbf",
            "rate", "8bit", "burst", "2000", "limit", "100000000");
        if (shaped.ExitCode != 0) Assert.Skip($"needs the kernel's token bucket filter: {shaped.Errors}");
        var binding = new LocalBinding(RecordingBootDirectory.Loopback, null);
        using var socket = space.Run(() => binding.Open(ProtocolType.Udp, 0));
        var to = new IPEndPoint(IPAddress.Loopback, 9);
        var sending = Task.Run(() =>
        {
            for (var i = 0; i < 100_000; i++) socket.SendTo(new byte[1400], to);
        }, TestContext.Current.CancellationToken);
        var fault = await Assert.ThrowsAsync<SocketException>(() => sending.WithinAsync("the refusal to send"));
        Assert.Contains(fault.SocketErrorCode, (SocketError[])[SocketError.TimedOut, SocketError.WouldBlock]);
    }

    private PortDoor Door(int port, string? iface) => new(
        "test", new LocalBinding(RecordingBootDirectory.Loopback, iface), ProtocolType.Udp, port, _clock,
        NullLogger.Instance);
}
