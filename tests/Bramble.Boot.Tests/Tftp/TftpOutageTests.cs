using System.Net;
using Bramble.Boot.Tftp;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>The server or its interface goes away in the middle of a transfer, and comes back.</summary>
public sealed class TftpOutageTests : IDisposable
{
    /// <summary>A block repeated at a test that is held up on a busy machine would be no fault of the server.</summary>
    private static readonly TftpTiming s_patient = new()
    {
        Initial = TimeSpan.FromSeconds(3),
        Min = TimeSpan.FromSeconds(3),
    };

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bramble-tftp-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task After_a_restart_in_the_middle_of_transfers_the_boards_next_request_is_served()
    {
        var file = new byte[400_000];
        new Random(7).NextBytes(file);
        await File.WriteAllBytesAsync(Path.Combine(_root.FullName, "kernel8.img"), file,
            TestContext.Current.CancellationToken);
        var options = new TftpOptions { Address = RecordingBootDirectory.Loopback, Port = 0, Timing = s_patient };
        IPEndPoint door;
        var boards = new List<TftpPeer>();
        await using (var first = await RunningServer.StartAsync(options, _root.FullName))
        {
            door = first.Door;
            for (var i = 0; i < 8; i++)
            {
                var board = new TftpPeer(door);
                boards.Add(board);
                await board.RequestAsync("kernel8.img");
                for (var block = 1; block <= 5 + i; block++)
                {
                    await board.ReceiveBlockAsync(block);
                    await board.AckAsync(block);
                }
            }
        }
        await using var second = await RunningServer.StartAsync(options with { Port = door.Port }, _root.FullName);
        foreach (var board in boards)
        {
            using var held = board;
            // What was on its way when the server ended: a block more, and the reason.
            TftpError error;
            var packet = await board.ReceiveAsync();
            while (!TftpError.TryRead(packet, out error, out _)) packet = await board.ReceiveAsync();
            Assert.Contains("stops", error.Message, StringComparison.Ordinal);
            // As a ROM has it: another try is another transfer.
            await board.RequestAsync("kernel8.img");
            Assert.Equal(file, await board.TakeAsync(512, optionsFirst: false));
        }
    }

    [Fact]
    public async Task An_interface_that_goes_away_in_the_middle_of_a_transfer_and_returns_is_served_again()
    {
        if (NetNamespace.Unavailable is { } why) Assert.Skip(why);
        var file = new byte[100_000];
        new Random(8).NextBytes(file);
        await File.WriteAllBytesAsync(Path.Combine(_root.FullName, "kernel8.img"), file,
            TestContext.Current.CancellationToken);
        await using var manager = await NetNamespace.CreateAsync();
        await using var rack = await NetNamespace.CreateAsync();
        await ConnectAsync(manager, rack);
        var options = new TftpOptions
        {
            Address = IPv4Address.Parse("10.79.0.1"),
            Interface = "rack0",
            Timing = s_patient,
        };
        await using var server = await RunningServer.StartAsync(options, _root.FullName, manager);
        using (var board = rack.Run(() => new TftpPeer(server.Door, IPAddress.Any)))
        {
            await board.RequestAsync("kernel8.img");
            await board.ReceiveBlockAsync(1);
            await manager.InsideAsync("link", "delete", "rack0");
        }
        await ConnectAsync(manager, rack);
        using var again = rack.Run(() => new TftpPeer(server.Door, IPAddress.Any));
        // As a ROM does, asks until somebody answers; the door looks for its interface every five seconds.
        var asked = TimeProvider.System.GetTimestamp() - TimeProvider.System.TimestampFrequency;
        await Patience.UntilAsync(() => again.HasMail, "an answer on the new interface", () =>
        {
            if (TimeProvider.System.GetElapsedTime(asked) < TimeSpan.FromSeconds(1)) return;
            asked = TimeProvider.System.GetTimestamp();
            again.TryRequest("kernel8.img");
        });
        Assert.Equal(file, await again.TakeAsync(512, optionsFirst: false));
    }

    private static async Task ConnectAsync(NetNamespace manager, NetNamespace rack)
    {
        await manager.ConnectAsync("rack0", rack, "eth0");
        await manager.InsideAsync("address", "add", "10.79.0.1/24", "dev", "rack0");
        await rack.InsideAsync("address", "add", "10.79.0.2/24", "dev", "eth0");
    }

    /// <summary>A server over a directory, for as long as a test wants it.</summary>
    private sealed class RunningServer : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly DirectoryBootTree _tree;
        private readonly Task _running;
        private readonly TftpServer _server;

        private RunningServer(TftpOptions options, string root, NetNamespace? space)
        {
            _tree = new DirectoryBootTree(root, NullLogger<DirectoryBootTree>.Instance);
            _server = new TftpServer(options, RecordingBootDirectory.Of(_tree), TimeProvider.System,
                NullLogger<TftpServer>.Instance);
            _running = space is null ? _server.RunAsync(_stop.Token) : RunInside(space);
        }

        public IPEndPoint Door { get; private set; } = new(0, 0);

        public static async Task<RunningServer> StartAsync(
            TftpOptions options, string root, NetNamespace? space = null)
        {
            var server = new RunningServer(options, root, space);
            server.Door = await server._server.Listening.WithinAsync("the TFTP server's port");
            return server;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.WithinAsync("the TFTP server's end");
            _stop.Dispose();
            _tree.Dispose();
        }

        /// <summary>
        /// All that it opens, now and when the interface is back, is opened on one thread that stays inside.
        /// </summary>
        private async Task RunInside(NetNamespace space) => await Task.Run(() => space.Run(() =>
        {
            OneThread.Run(() => _server.RunAsync(_stop.Token));
            return true;
        }));
    }
}
