using Bramble.Boot.Dhcp;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Wire;
using Bramble.Wire.Pcap;

namespace Bramble.Manager.Capture;

/// <summary>
/// The REST door to what goes over a boot network: a capture file that grows until the client has enough. Boot files
/// carry one-time tokens, so it is for administrators, and who looked is in the event log.
/// </summary>
public static class CaptureEndpoints
{
    public const string ContentType = "application/vnd.tcpdump.pcap";

    /// <summary>Captures at once; each has a kernel buffer of its own.</summary>
    private const int Bound = 4;

    private const int LongestFrame = 1 << 16;

    /// <summary>What the kernel keeps for a client that is slow to take it.</summary>
    private const int ReceiveBuffer = 4 << 20;

    private static readonly SemaphoreSlim s_slots = new(Bound, Bound);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet(ApiRoutes.Capture, StreamAsync).RequireAuthorization(nameof(Role.Admin));

    private static async Task<IResult> StreamAsync(
        HttpContext context, string name, string? node, BrambleOptions options, NodeRegistry nodes, EventLog events,
        TimeProvider clock)
    {
        var network = options.Networks.FirstOrDefault(n => n.Name == name)
            ?? throw ProblemException.NotFound($"there is no network '{name}'; there are: "
                + string.Join(", ", options.Networks.Select(n => n.Name)));
        var only = node is null ? (NodeSnapshot?)null : NodeEndpoints.Select(nodes, [node], all: false)[0];
        if (!await s_slots.WaitAsync(0, context.RequestAborted).ConfigureAwait(false))
            throw ProblemException.Conflict($"{Bound} captures run already: end one of them first");
        try
        {
            using var socket = Open(network);
            events.Add("capture", only?.Id, only?.Name, NodeEndpoints.Actor(context), $"captures the network {name}");
            context.Response.ContentType = ContentType;
            await WriteAsync(context, socket, only?.Mac, clock).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client has enough: that is how a capture ends.
        }
        finally
        {
            s_slots.Release();
        }
        return Results.Empty;
    }

    private static LinkSocket Open(NetworkOptions network)
    {
        try
        {
            return LinkSocket.Open(
                network.Interface, LinkSocket.TypeAll, CaptureFilter.Of(network.HttpPort), ReceiveBuffer);
        }
        catch (IOException e)
        {
            throw ProblemException.Conflict($"{network.Interface} cannot be captured: {e.Message}");
        }
    }

    private static async Task WriteAsync(
        HttpContext context, LinkSocket socket, MacAddress? only, TimeProvider clock)
    {
        var body = context.Response.BodyWriter;
        var stop = context.RequestAborted;
        var header = PcapHeader.Ethernet;
        header.Write(body.GetSpan(PcapHeader.Size));
        body.Advance(PcapHeader.Size);
        await body.FlushAsync(stop).ConfigureAwait(false);
        var frame = new byte[LongestFrame];
        while (!stop.IsCancellationRequested)
        {
            var length = await socket.ReceiveAsync(frame, stop).ConfigureAwait(false);
            var octets = frame.AsSpan(0, length);
            if (only is null || Concerns(octets, only.Value))
            {
                var size = PcapWriter.SizeOf(header, length);
                body.Advance(PcapWriter.WriteFrame(body.GetSpan(size), header, clock.GetUtcNow(), octets));
            }
            // A slow client holds this loop up, and the kernel drops what its bounded buffer cannot hold.
            if (body.UnflushedBytes > 1 << 16 || (!socket.HasMore && body.UnflushedBytes > 0))
                await body.FlushAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>To it, from it, or a broadcast about it: DHCP answers name their client inside.</summary>
    private static bool Concerns(ReadOnlySpan<byte> frame, MacAddress mac)
    {
        if (frame.Length < 14) return false;
        return MacAddress.Read(frame) == mac || MacAddress.Read(frame[6..]) == mac
            || (UdpFrame.TryRead(frame, out var udp, out var payload, out _) && udp.DestinationPort is 67 or 68
                && payload.Length >= 34 && MacAddress.Read(payload[28..]) == mac);
    }
}
