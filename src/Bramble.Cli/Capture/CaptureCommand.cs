using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Completion;
using Bramble.Contracts.Api;
using Bramble.Wire.Pcap;

namespace Bramble.Cli.Capture;

/// <summary>What goes over a boot network, as a capture file.</summary>
internal static class CaptureCommand
{
    private const string ContentType = "application/vnd.tcpdump.pcap";

    public static Command Create(CommandSet set)
    {
        var network = new Argument<string>("network") { Description = "A network of the configuration" };
        LiveNames.OfNetworks(set, network);
        var file = new Option<string>("--write", "-w")
        {
            Description = "Where the capture goes; - is standard output",
            HelpName = "FILE",
            Required = true,
        };
        var node = new Option<string?>("--node") { Description = "Only what concerns this node" };
        LiveNames.OfNodes(set, node);
        var count = new Option<int?>("--count", "-c") { Description = "End after so many packets", HelpName = "N" };
        var seconds = new Option<int?>("--seconds", "-s") { Description = "End after so long", HelpName = "S" };
        var force = new Option<bool>("--force") { Description = "Replace FILE if it is there" };
        var command = new HelpfulCommand("capture", "Write a network's boot traffic to a pcap file",
            "The manager captures on its interface: ARP, DHCP, TFTP, DNS, time and all other UDP, and of HTTP what\n"
            + "begins, asks or ends. Until interrupted, unless --count or --seconds says otherwise. The file can be\n"
            + "read by 'bramble explain dhcp --pcap', tcpdump and Wireshark. Boot files in it carry one-time tokens:\n"
            + "it is for administrators only, and the file is readable by you alone.",
            "bramble capture rack -w boot.pcap --node shelf-3\n"
            + "bramble capture rack -w - | tcpdump -r - -n")
        {
            network, file, node, count, seconds, force,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            if (session.Value(count) is < 1) throw new UsageException("--count takes a number of packets from 1 on");
            if (session.Value(seconds) is < 1) throw new UsageException("--seconds takes a number from 1 on");
            var path = session.Value(file)!;
            if (path == "-" && session.Terminal.OutIsTerminal)
                throw new UsageException("a capture is no text: give a file with -w, or pipe it into a program");
            var route = ApiPath.With(
                ApiPath.Of(ApiRoutes.Capture, session.Value(network)!), ("node", session.Value(node)));
            using var answer = await session.Api.OpenStreamAsync(route, ContentType, null, cancellation);
            await using var to = Open(path, session.Value(force));
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            if (session.Value(seconds) is { } s) limit.CancelAfter(TimeSpan.FromSeconds(s));
            session.Say($"capturing {session.Value(network)}"
                + (session.Value(count) is null && session.Value(seconds) is null ? " until interrupted" : ""));
            await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
            var packets = await CopyAsync(body, to, session.Value(count), limit.Token);
            session.Say($"{packets} packets");
            return ExitCode.Ok;
        });
    }

    private static Stream Open(string path, bool force)
    {
        if (path == "-") return Console.OpenStandardOutput();
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = force ? FileMode.Create : FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new CliException(ExitCode.Failed, $"{path} is there already; --force replaces it", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"{path} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Copies whole packets only, so that the file is whole whenever it ends.</summary>
    private static async Task<int> CopyAsync(Stream from, Stream to, int? most, CancellationToken cancellation)
    {
        var packets = 0;
        var buffer = new byte[PcapHeader.DefaultSnapLength + PcapRecord.Size];
        try
        {
            await from.ReadExactlyAsync(buffer.AsMemory(0, PcapHeader.Size), cancellation);
            if (!PcapHeader.TryRead(buffer, out var header, out var error)) throw Damaged(error.ToString());
            await to.WriteAsync(buffer.AsMemory(0, PcapHeader.Size), cancellation);
            while (most is null || packets < most)
            {
                await from.ReadExactlyAsync(buffer.AsMemory(0, PcapRecord.Size), cancellation);
                if (!PcapRecord.TryRead(buffer, header, out var record, out error)) throw Damaged(error.ToString());
                await from.ReadExactlyAsync(buffer.AsMemory(PcapRecord.Size, record.Captured), cancellation);
                await to.WriteAsync(buffer.AsMemory(0, PcapRecord.Size + record.Captured), CancellationToken.None);
                await to.FlushAsync(CancellationToken.None);
                packets++;
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
        catch (Exception e) when (e is EndOfStreamException or HttpIOException or HttpRequestException)
        {
            throw new CliException(ExitCode.Unreachable, $"the manager ended the capture after {packets} packets", e);
        }
        return packets;
    }

    private static CliException Damaged(string why) => new(ExitCode.Unreachable, $"the manager sent no capture: {why}");
}
