using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Tftp;
using Bramble.Testing;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>Clients that are broken or hostile, beside one that is neither.</summary>
public sealed class TftpFaultTests
{
    private const int Size = 300_000;

    private static readonly TftpOption[] s_options = [new("blksize", "1468"), new("tsize", "0")];

    [Fact]
    public async Task Ten_thousand_half_open_transfers_are_bounded_and_a_known_board_is_served_meanwhile()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("kernel8.img", Size);
        using var known = tftp.Client();
        await known.RequestAsync("kernel8.img", s_options);
        await known.ReceiveOptionsAsync();
        var before = GC.GetTotalMemory(forceFullCollection: true);

        // 625 addresses with 16 ports each, as that is what one address may have.
        var flood = new List<Socket>();
        var request = new byte[TftpRequest.MaxSize];
        var length = TftpRequest.Read("kernel8.img", s_options).Write(request);
        try
        {
            for (var i = 0; i < 10_000; i++)
            {
                var address = new IPAddress([127, 1, (byte)(i / 16 / 250), (byte)(i / 16 % 250 + 1)]);
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                flood.Add(socket);
                socket.Bind(new IPEndPoint(address, 0));
                socket.SendTo(request.AsSpan(0, length), SocketFlags.None, tftp.Door);
            }
            // Its transfer goes on, block by block, whatever else comes in.
            await known.AckAsync(0);
            Assert.Equal(file, await known.TakeAsync(1468, optionsFirst: false));

            var limit = new TftpOptions { Address = RecordingBootDirectory.Loopback }.MaxTransfers;
            var (accepted, refused) = await FirstAnswersAsync(flood);
            Assert.InRange(accepted, limit - 1, limit);
            Assert.True(refused > 0, "nobody was told that there are too many");
            // Each costs its state, and no copy of the file.
            var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
            Assert.True(grown < 10_000 * 4096, $"{grown} octets for 10,000 requests");
        }
        finally
        {
            foreach (var socket in flood) socket.Dispose();
        }
    }

    [Fact]
    public async Task A_client_that_acknowledges_wrongly_or_replays_causes_no_send_and_can_go_on()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("start4.elf", 20_000);
        using var board = tftp.Client();
        await board.RequestAsync("start4.elf", new TftpOption("windowsize", "4"));
        await board.ReceiveOptionsAsync();
        await board.AckAsync(0);
        using var got = new MemoryStream();
        for (var block = 1; block <= 4; block++) got.Write(await board.ReceiveBlockAsync(block));
        // What was never sent, what is long past, the OACK's again, garbage, and all of it again.
        for (var times = 0; times < 50; times++)
        {
            foreach (var wrong in (int[])[5, 6, 1000, 40_000, 65_535, 0]) await board.AckAsync(wrong);
            await board.ToTidAsync([0, 3, 0, 1, 1, 2, 3]);
            await board.ToTidAsync([0, 9]);
            await board.ToTidAsync([]);
        }
        await board.AckAsync(4);
        for (var block = 5; block <= 8; block++) got.Write(await board.ReceiveBlockAsync(block));
        // A replay of each ACK so far at each further one: nothing comes twice.
        var last = 20_000 / 512 + 1;
        for (var block = 8; block < last;)
        {
            for (var old = 0; old <= block; old++) await board.AckAsync(old);
            for (var next = block + 1; next <= Math.Min(block + 4, last); next++)
                got.Write(await board.ReceiveBlockAsync(next));
            block = Math.Min(block + 4, last);
        }
        await board.AckAsync(last);
        Assert.Equal(file, got.ToArray());
        Assert.Equal(StepOutcome.Ok, (await tftp.Directory.NextStepAsync()).Outcome);
        Assert.False(board.HasMail);
    }

    [Fact]
    public async Task A_flood_of_ACKs_and_garbage_to_every_port_leaves_the_others_their_service()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("kernel8.img", Size);
        using var stop = new CancellationTokenSource();
        using var probe = tftp.Client();
        await probe.RequestAsync("kernel8.img", s_options);
        await probe.ReceiveOptionsAsync();
        var tid = probe.Tid!;
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var flood = Task.Run(() =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var random = new Random(seed);
            var packet = new byte[64];
            long sent = 0;
            while (!stop.IsCancellationRequested)
            {
                random.NextBytes(packet);
                if (random.Next(2) == 0) (packet[0], packet[1]) = (0, (byte)random.Next(1, 7));
                var to = random.Next(2) == 0 ? tid : tftp.Door;
                socket.SendTo(packet.AsSpan(0, random.Next(packet.Length)), SocketFlags.None, to);
                sent++;
            }
            return sent;
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 3; i++)
        {
            using var board = tftp.Client();
            Assert.Equal(file, await FetchAsync(board));
        }
        await probe.AckAsync(0);
        Assert.Equal(file, await probe.TakeAsync(1468, optionsFirst: false));
        await stop.CancelAsync();
        Assert.True(await flood.WithinAsync("the flood's end") > 1000);
    }

    /// <summary>As a ROM does, asks again when nothing comes.</summary>
    private static async Task<byte[]> FetchAsync(TftpPeer board)
    {
        for (var tries = 0; ; tries++)
        {
            await board.RequestAsync("kernel8.img", s_options);
            try
            {
                await Patience.UntilAsync(() => board.HasMail, "an OACK", limit: TimeSpan.FromSeconds(4));
                return await board.TakeAsync(1468, optionsFirst: true);
            }
            catch (TimeoutException) when (tries < 5)
            {
                // Its request was pushed out of the full buffer by the flood.
            }
        }
    }

    private static async Task<(int Accepted, int Refused)> FirstAnswersAsync(List<Socket> clients)
    {
        int accepted = 0, refused = 0;
        var buffer = new byte[2048];
        var open = new HashSet<Socket>(clients);
        var heard = TimeProvider.System.GetTimestamp();
        // Some were refused without a word: the queue of requests is bounded too. So until nothing more comes.
        await Patience.UntilAsync(() =>
        {
            foreach (var socket in open.Where(s => s.Available > 0).ToList())
            {
                var n = socket.Receive(buffer);
                if (TftpOptionAck.TryRead(buffer.AsSpan(0, n), out _, out _)) accepted++;
                else refused++;
                open.Remove(socket);
                heard = TimeProvider.System.GetTimestamp();
            }
            return TimeProvider.System.GetElapsedTime(heard) > TimeSpan.FromSeconds(1);
        }, "the last answer to the flood");
        return (accepted, refused);
    }
}
