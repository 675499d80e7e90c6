using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Bramble.Boot.Ntp;
using Bramble.Processes;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Ntp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Ntp;

/// <summary>The server against ntpdig, and against chrony on another machine.</summary>
public sealed class NtpRealClientTests
{
    /// <summary>RFC 868 counts 32 bits of seconds; busybox places them in the years 1970 to 2106.</summary>
    [Fact]
    public async Task Ntpdig_takes_the_time()
    {
        // It knows no other port than 123; an address of its own keeps that from meeting a real server.
        await using var ntp = await RunningNtp.TryStartAsync(IPv4Address.Parse("127.0.0.123"), 123);
        if (ntp is null) Assert.Skip("needs the right to bind UDP port 123");
        var result = await RunAsync("ntpdig", ["-4", "-j", "-p", "2", "-g", "20", "127.0.0.123"]);
        Assert.True(result.Succeeded, result.Errors);
        using var answer = JsonDocument.Parse(result.Output);
        Assert.InRange(Math.Abs(answer.RootElement.GetProperty("offset").GetDouble()), 0, 0.5);
        Assert.InRange(answer.RootElement.GetProperty("stratum").GetInt32(), 3, 10);
    }

    /// <summary>-Q measures and says by how much it would set the clock, and does not set it.</summary>
    [Fact]
    public async Task Chrony_on_another_machine_takes_the_time()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        await using var manager = await NetNamespace.CreateAsync();
        await using var board = await NetNamespace.CreateAsync();
        await manager.ConnectAsync("eth0", board, "eth0");
        await manager.InsideAsync("address", "add", "10.77.0.1/24", "dev", "eth0");
        await board.InsideAsync("address", "add", "10.77.0.7/24", "dev", "eth0");
        await using var ntp = manager.Run(() =>
            RunningNtp.Open(IPv4Address.Parse("10.77.0.1"), NtpPacket.Port, "eth0"));
        await ntp.ListensAsync();
        // As root chronyd removes its pidfile at its end, whatever that is: it gets one of its own.
        var pidfile = Path.Combine(Path.GetTempPath(), $"bramble-chrony-{Guid.NewGuid():N}.pid");
        // Two hours off, so that the offset that it measures says whose time it took.
        var result = await RunAsync("ip", ["netns", "exec", board.Name, "faketime", "-f", "+7200s", "chronyd", "-Q",
            "-d", "-t", "15", $"pidfile {pidfile}", "bindcmdaddress /", "server 10.77.0.1 iburst maxsamples 4"]);
        File.Delete(pidfile);
        Assert.True(result.Succeeded, result.Output + result.Errors);
        var offset = Regex.Match(result.Output + result.Errors, @"System clock wrong by (-?[\d.]+) seconds");
        Assert.True(offset.Success, result.Output + result.Errors);
        Assert.InRange(double.Parse(offset.Groups[1].Value, CultureInfo.InvariantCulture), -7200.5, -7199.5);
        var step = await ntp.Directory.NextStepAsync();
        Assert.Equal((BootStage.Time, IPv4Address.Parse("10.77.0.7")), (step.Stage, step.Address));
    }

    [Fact]
    public async Task Hostile_packets_are_survived_and_no_reply_is_longer_than_its_request()
    {
        await using var ntp = await RunningNtp.StartAsync(RecordingBootDirectory.Loopback, 0);
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        byte[][] silent = [[], [0x23], new byte[47], new byte[48], [0x16, .. new byte[47]], [0x24, .. new byte[47]]];
        foreach (var packet in silent) await client.SendAsync(packet, packet.Length, ntp.Door);
        byte[] request = [0x23, .. new byte[47], .. new byte[20]];
        await client.SendAsync(request, request.Length, ntp.Door);
        var receiving = client.ReceiveAsync(TestContext.Current.CancellationToken).AsTask();
        var reply = (await receiving.WithinAsync("the reply to the one good request")).Buffer;
        Assert.Equal(NtpPacket.Size, reply.Length);
        Assert.True(NtpPacket.TryRead(reply, out var read, out _));
        Assert.True(read.TransmitTime.Bits >= read.ReceiveTime.Bits);
        Assert.Equal(0, client.Available);
    }

    private static async Task<ChildResult> RunAsync(string program, string[] arguments)
    {
        try
        {
            return await ChildProcess.RunAsync(program, arguments,
                timeout: TimeSpan.FromSeconds(25), cancellation: TestContext.Current.CancellationToken);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"needs {program} (Debian packages ntpsec-ntpdig, chrony, faketime)");
            throw;
        }
    }

    private sealed class RunningNtp : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly NtpServer _server;
        private readonly Task _running;

        private RunningNtp(IPv4Address address, int port, TimeProvider clock, string? face = null)
        {
            _server = new NtpServer(new NtpOptions { Address = address, Port = port, Interface = face }, Directory,
                clock, NullLogger<NtpServer>.Instance);
            _running = _server.RunAsync(_stop.Token);
        }

        public RecordingBootDirectory Directory { get; } = new();

        public IPEndPoint Door { get; private set; } = new(0, 0);

        public static async Task<RunningNtp> StartAsync(IPv4Address address, int port, TimeProvider? clock = null)
        {
            var running = new RunningNtp(address, port, clock ?? TimeProvider.System);
            running.Door = await running._server.Listening.WithinAsync($"the NTP server on {address}:{port}");
            return running;
        }

        /// <summary>Opens the port where the calling thread is, which may be in a network namespace.</summary>
        public static RunningNtp Open(IPv4Address address, int port, string face) =>
            new(address, port, TimeProvider.System, face);

        public async Task ListensAsync() => Door = await _server.Listening.WithinAsync("the NTP server");

        /// <summary>Null if the port cannot be had.</summary>
        public static async Task<RunningNtp?> TryStartAsync(IPv4Address address, int port)
        {
            try
            {
                using var trial = new UdpClient(new IPEndPoint(address.ToIPAddress(), port));
            }
            catch (SocketException)
            {
                return null;
            }
            return await StartAsync(address, port);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.WithinAsync("the NTP server's end");
            _stop.Dispose();
        }
    }
}
