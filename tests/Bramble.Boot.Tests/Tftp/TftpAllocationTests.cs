using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Boot.Tftp;
using Bramble.Testing;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>The lane itself, driven on the test's own thread, so that each octet that it allocates shows.</summary>
public sealed class TftpAllocationTests : IDisposable
{
    private const int Blocks = 5000;

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bramble-tftp-");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(64, true)]
    public void Nothing_is_allocated_for_a_block(int window, bool isKept)
    {
        const int blockSize = 1468;
        var path = Path.Combine(_root.FullName, "kernel8.img");
        File.WriteAllBytes(path, new byte[(Blocks + 2 * window + 64) * blockSize]);
        // One that was changed just now is read anew each time, and not kept.
        if (isKept) File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        using var tree = new DirectoryBootTree(_root.FullName, NullLogger<DirectoryBootTree>.Instance);
        Assert.True(tree.TryOpen("kernel8.img", out var content));
        Assert.Equal(isKept, content.MayBeKept);

        using var server = Open();
        using var client = Open();
        var peer = UdpPeer.From((IPEndPoint)client.LocalEndPoint!);
        var to = ((IPEndPoint)server.LocalEndPoint!).Serialize();
        using var lane = new TftpLane(server, blockSize, new ManualTimeProvider(), new RecordingBootDirectory(),
            new TftpRegistry(1, 1), new ContentCache(), NullLogger.Instance);
        using var reader = new DatagramReader(64, TftpLane.ReceiveSize);
        var request = TftpRequest.Read("kernel8.img");
        lane.Begin(peer, request, "kernel8.img", content, new TftpTerms
        {
            Length = content.Length,
            BlockSize = blockSize,
            WindowSize = window,
            Timing = new TftpTiming(),
        });
        using var inbox = new DatagramReader(128, 2048);
        var ack = new byte[TftpAck.Size];

        long Take(int blocks, long from)
        {
            var acked = from;
            for (var got = from; got < from + blocks;)
            {
                var count = inbox.Receive(client.SafeHandle);
                for (var i = 0; i < count; i++)
                {
                    // By hand: an assertion's message would itself be allocated.
                    if (!TftpData.TryRead(inbox.Packet(i), out var data, out _) || data.Block != (ushort)++got
                        || data.Payload.Length != blockSize)
                        throw new InvalidOperationException("not the next block");
                }
                if (got - acked < window) continue;
                acked = got;
                new TftpAck((ushort)acked).Write(ack);
                client.SendTo(ack, SocketFlags.None, to);
                lane.Receive(reader);
            }
            return acked;
        }

        var warm = Take(32 * window, from: 0); // the just-in-time compiler, and the pages that are not there yet
        warm = Take(window, warm);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Take((Blocks - (int)warm) / window * window, warm);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        // What is kept comes in pages of forty blocks, each allocated once for all clients: nothing else is.
        var pages = isKept ? (Blocks * blockSize / ContentCache.PageSize + 2) * (ContentCache.PageSize + 256L) : 0;
        Assert.True(allocated <= pages + 16 * 1024, $"{allocated} octets for {Blocks} blocks");
        if (isKept) Assert.Equal(0, AgainOfWhatIsKept(path));
    }

    /// <summary>Reads the whole file through a cache that has it, as a second client does.</summary>
    private static long AgainOfWhatIsKept(string path)
    {
        using var tree = new DirectoryBootTree(Path.GetDirectoryName(path)!, NullLogger<DirectoryBootTree>.Instance);
        var cache = new ContentCache();
        var buffer = new byte[1468];
        long allocated = 0;
        for (var client = 0; client < 2; client++)
        {
            Assert.True(tree.TryOpen(Path.GetFileName(path), out var content));
            using var held = content;
            var reader = new ContentCache.Reader(content);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (long at = 0; at < content.Length; at += buffer.Length) reader.Read(cache, at, buffer);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        return allocated;
    }

    private static Socket Open()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveBufferSize = 1 << 20,
        };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
