using System.Net;
using System.Net.Sockets;
using Bramble.Manager.Tests.Api;
using Bramble.Testing;
using Bramble.Wire.Pcap;

namespace Bramble.Manager.Tests.Capture;

/// <summary>The capture door with the kernel's real packets, on loopback.</summary>
public sealed class CaptureTests : IAsyncLifetime
{
    private ApiRig _api = null!;

    public async ValueTask InitializeAsync() => _api = await ApiRig.StartAsync();

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task Udp_and_the_ends_of_http_are_captured_and_other_connections_are_not()
    {
        using var answer = await OpenAsync("/api/v1/networks/rack/capture");
        await using var body = await answer.Content.ReadAsStreamAsync(Scratch.Cancellation);
        var header = await HeaderAsync(body);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        using (var connection = new TcpClient())
            await connection.ConnectAsync((IPEndPoint)other.LocalEndpoint, Scratch.Cancellation);
        // Nobody listens there: the SYN and its refusal go by all the same.
        using (var connection = new TcpClient())
        {
            await Assert.ThrowsAsync<SocketException>(async () => await connection.ConnectAsync(
                IPAddress.Loopback, _api.Rig.Options.Networks[0].HttpPort, Scratch.Cancellation));
        }
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        await udp.SendAsync("mark"u8.ToArray(), new IPEndPoint(IPAddress.Loopback, 9), Scratch.Cancellation);

        var http = 0;
        while (true)
        {
            var frame = await FrameAsync(body, header);
            if (UdpFrame.TryRead(frame, out var read, out var payload, out _))
            {
                if (read.DestinationPort == 9 && payload.SequenceEqual("mark"u8)) break;
                continue;
            }
            Assert.Equal(6, frame[23]);
            var ports = (frame[34] << 8 | frame[35], frame[36] << 8 | frame[37]);
            var port = _api.Rig.Options.Networks[0].HttpPort;
            Assert.True(ports.Item1 == port || ports.Item2 == port, $"{ports} was captured");
            http++;
        }
        // The SYN and its RST; loopback shows each as it leaves and once more as it comes.
        Assert.Equal(4, http);
        Assert.Contains(await _api.Rig.Events.TailAsync(10, null),
            e => e is { Kind: "capture", Actor: "token:boss", Message: "captures the network rack" });
    }

    [Fact]
    public async Task Only_what_concerns_a_node_is_what_names_it()
    {
        var node = await _api.Rig.AddAsync(1);
        using var answer = await OpenAsync($"/api/v1/networks/rack/capture?node={node.Name}");
        await using var body = await answer.Content.ReadAsStreamAsync(Scratch.Cancellation);
        var header = await HeaderAsync(body);
        using var udp = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var dhcp = new byte[240];
        var door = new IPEndPoint(IPAddress.Loopback, 68);
        await udp.SendAsync(dhcp, door, Scratch.Cancellation);
        node.Mac.Write(dhcp.AsSpan(28));
        await udp.SendAsync(dhcp, door, Scratch.Cancellation);
        Assert.True(UdpFrame.TryRead(await FrameAsync(body, header), out _, out var payload, out _));
        Assert.Equal(dhcp, payload);
    }

    [Fact]
    public async Task It_is_for_administrators_and_for_networks_that_there_are()
    {
        await _api.RefusedAsync(
            HttpStatusCode.Forbidden, "GET", "/api/v1/networks/rack/capture", token: _api.Operator);
        Assert.Equal("there is no network 'attic'; there are: rack",
            await _api.RefusedAsync(HttpStatusCode.NotFound, "GET", "/api/v1/networks/attic/capture"));
    }

    [Fact]
    public async Task A_fifth_capture_at_once_is_refused_and_one_that_ended_makes_room()
    {
        var open = new List<HttpResponseMessage>();
        try
        {
            for (var i = 0; i < 4; i++) open.Add(await OpenAsync("/api/v1/networks/rack/capture"));
            Assert.Contains("4 captures run already",
                await _api.RefusedAsync(HttpStatusCode.Conflict, "GET", "/api/v1/networks/rack/capture"),
                StringComparison.Ordinal);
            open[0].Dispose();
            HttpResponseMessage? next = null;
            await Patience.UntilAsync(() =>
            {
                next = _api.SendAsync("GET", "/api/v1/networks/rack/capture", _api.Admin).GetAwaiter().GetResult();
                if (next.IsSuccessStatusCode) return true;
                next.Dispose();
                return false;
            }, "a free place for a capture");
            next!.Dispose();
        }
        finally
        {
            foreach (var answer in open) answer.Dispose();
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(string path)
    {
        var answer = await _api.SendAsync("GET", path, _api.Admin);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        Assert.Equal("application/vnd.tcpdump.pcap", answer.Content.Headers.ContentType?.MediaType);
        return answer;
    }

    private static async Task<PcapHeader> HeaderAsync(Stream body)
    {
        var octets = new byte[PcapHeader.Size];
        await body.ReadExactlyAsync(octets, Scratch.Cancellation).AsTask().WithinAsync("the capture's head");
        Assert.True(PcapHeader.TryRead(octets, out var header, out var error), error.ToString());
        return header;
    }

    private static async Task<byte[]> FrameAsync(Stream body, PcapHeader header)
    {
        var octets = new byte[PcapRecord.Size];
        await body.ReadExactlyAsync(octets, Scratch.Cancellation).AsTask().WithinAsync("a packet");
        Assert.True(PcapRecord.TryRead(octets, header, out var record, out var error), error.ToString());
        var frame = new byte[record.Captured];
        await body.ReadExactlyAsync(frame, Scratch.Cancellation).AsTask().WithinAsync("the rest of a packet");
        return frame;
    }
}
