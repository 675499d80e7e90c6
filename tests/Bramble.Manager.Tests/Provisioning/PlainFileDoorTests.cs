using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Bramble.Boot.Dhcp;
using Bramble.Manager.Configuration;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>Files by sendfile and the web server's own answers on one connection, as octets on the wire.</summary>
public sealed class PlainFileDoorTests(TestImages images) : IAsyncLifetime
{
    private static readonly IPv4Address s_client = IPv4Address.Parse("127.0.0.101");

    private readonly Scratch _scratch = new();
    private readonly byte[] _kernel = new byte[5_000_001];
    private BoardRig _board = null!;

    public async ValueTask InitializeAsync()
    {
        new Random(5).NextBytes(_kernel);
        _scratch.Write("tree/empty", "");
        await File.WriteAllBytesAsync(_scratch["tree/kernel8.img"], _kernel, Scratch.Cancellation);
        _board = await BoardRig.StartAsync(images);
        await OpenAsync(new InstallOptions());
    }

    public async ValueTask DisposeAsync()
    {
        await _board.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task Plain_files_a_range_a_file_that_is_not_there_and_a_plain_file_again_on_one_connection()
    {
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        // Two at once, the second before the first is answered.
        await SendAsync(stream, Get("kernel8.img") + Get("kernel8.img"));
        foreach (var _ in (int[])[1, 2])
        {
            var (head, body) = await ReceiveAsync(stream);
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", head, StringComparison.Ordinal);
            Assert.Contains("Accept-Ranges: bytes\r\nETag: \"", head, StringComparison.Ordinal);
            Assert.Contains("\r\nDate: ", head, StringComparison.Ordinal);
            Assert.Equal(_kernel, body);
        }
        await SendAsync(stream, Get("empty"));
        Assert.Empty((await ReceiveAsync(stream)).Body);
        await SendAsync(stream, Get("kernel8.img", "Range: bytes=4000000-4000099\r\n") + Get("nothing"));
        var range = await ReceiveAsync(stream);
        Assert.StartsWith("HTTP/1.1 206 ", range.Head, StringComparison.Ordinal);
        Assert.Equal(_kernel[4_000_000..4_000_100], range.Body);
        Assert.StartsWith("HTTP/1.1 404 ", (await ReceiveAsync(stream)).Head, StringComparison.Ordinal);
        await SendAsync(stream, Get("kernel8.img"));
        Assert.Equal(_kernel, (await ReceiveAsync(stream)).Body);
        Assert.Equal(["empty", "kernel8.img", "nothing"],
            _board.Rig.Timeline.Newest(1)!.Steps.Select(s => s.What).Distinct().Order());
    }

    [Fact]
    public async Task The_entity_tag_of_a_plain_answer_is_the_one_that_the_web_server_compares()
    {
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        await SendAsync(stream, Get("kernel8.img"));
        var (head, _) = await ReceiveAsync(stream);
        var tag = head.Split("\r\n").Single(l => l.StartsWith("ETag: ", StringComparison.Ordinal))[6..];
        await SendAsync(stream, Get("kernel8.img", $"If-None-Match: {tag}\r\n"));
        Assert.StartsWith("HTTP/1.1 304 ", await HeadAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_an_image_s_FAT_partition_is_sent_from_where_it_lies()
    {
        await OpenAsync(new InstallOptions { Image = "debian" });
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        await SendAsync(stream, Get("start4.elf"));
        Assert.Equal(TestImages.Start4, (await ReceiveAsync(stream)).Body);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_middle_takes_nobody_along()
    {
        for (var i = 0; i < 20; i++)
        {
            using var rude = await ConnectAsync();
            await SendAsync(rude.GetStream(), Get("kernel8.img"));
            await rude.GetStream().ReadExactlyAsync(new byte[1000], Scratch.Cancellation);
            rude.LingerState = new LingerOption(true, 0);
        }
        using var client = await ConnectAsync();
        await SendAsync(client.GetStream(), Get("kernel8.img"));
        Assert.Equal(_kernel, (await ReceiveAsync(client.GetStream())).Body);
    }

    private async Task OpenAsync(InstallOptions install)
    {
        _board.Rig.Options = _board.Rig.Options with
        {
            Install = install,
            Networks = [_board.Rig.Options.Networks[0] with { BootTree = _scratch["tree"] }],
        };
        await _board.RestartAsync();
        if (_board.Rig.Nodes.Find(Sample.Mac(1)) is null) await _board.AddNodeAsync();
        _board.Leases.Load([new Lease("rack", Sample.Mac(1), s_client)
        {
            BoundAt = _board.Rig.Clock.GetUtcNow(),
            ExpiresAt = _board.Rig.Clock.GetUtcNow().AddHours(1),
        }]);
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient(new IPEndPoint(s_client.ToIPAddress(), 0));
        await client.ConnectAsync(IPAddress.Loopback, _board.Door.Port, Scratch.Cancellation);
        return client;
    }

    private static string Get(string path, string more = "") =>
        $"GET /boot/{path} HTTP/1.1\r\nHost: m\r\nUser-Agent: U-Boot\r\n{more}\r\n";

    private static async Task SendAsync(NetworkStream stream, string text) =>
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), Scratch.Cancellation);

    private static async Task<(string Head, byte[] Body)> ReceiveAsync(NetworkStream stream)
    {
        var head = await HeadAsync(stream);
        var length = head.Split("\r\n")
            .Single(l => l.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))[16..];
        var body = new byte[int.Parse(length, CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, Scratch.Cancellation);
        return (head, body);
    }

    private static async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var octet = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(octet, Scratch.Cancellation);
            head.Append((char)octet[0]);
        }
        return head.ToString();
    }
}
