using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Tftp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Tftp;

/// <summary>
/// The read-only TFTP door. Requests come in on the well-known port and are answered from one of a few lanes, so that
/// a transfer has a TID of its own kind and the request port stays free.
/// </summary>
public sealed partial class TftpServer
{
    /// <summary>Room for the longest request and one octet, so that a longer one shows.</summary>
    private const int ReceiveSize = TftpRequest.MaxSize + 1;

    /// <summary>Threads that serve transfers; each fills more than a Gigabit.</summary>
    private const int MaxPumps = 4;

    private readonly TftpOptions _options;
    private readonly IBootDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly ContentCache _cache;
    private readonly ILogger<TftpServer> _logger;
    private readonly PortDoor _door;

    /// <param name="cache">What the doors of a daemon keep of the files; null for one of this door's own.</param>
    public TftpServer(
        TftpOptions options, IBootDirectory directory, TimeProvider clock, ILogger<TftpServer> logger,
        ContentCache? cache = null)
    {
        _options = options;
        _directory = directory;
        _clock = clock;
        _cache = cache ?? new ContentCache();
        _logger = logger;
        var binding = new LocalBinding(options.Address, options.Interface);
        _door = new PortDoor("TFTP", binding, ProtocolType.Udp, options.Port, clock, logger);
    }

    /// <summary>Completes when requests are taken, with the address and the port.</summary>
    public Task<IPEndPoint> Listening => _door.Listening;

    /// <summary>Serves until cancelled. An interface that is not there is waited for.</summary>
    public Task RunAsync(CancellationToken cancellation) => _door.RunAsync(ServeAsync, cancellation);

    private async Task ServeAsync(Socket socket, CancellationToken cancellation)
    {
        var registry = new TftpRegistry(_options.MaxTransfers, _options.MaxTransfersPerClient);
        var lanes = new List<TftpLane>();
        var pumps = new List<TftpPump>();
        var requests = new RequestSink(this, socket, lanes, registry);
        try
        {
            for (var i = 0; i < Math.Max(1, _options.Lanes); i++)
            {
                var tid = _door.Binding.Open(ProtocolType.Udp, 0);
                lanes.Add(new TftpLane(tid, _options.MaxBlockSize, _clock, _directory, registry, _cache, _logger));
            }
            var threads = Math.Clamp(Environment.ProcessorCount, 1, Math.Min(MaxPumps, lanes.Count));
            for (var i = 0; i < threads; i++)
            {
                pumps.Add(new TftpPump(
                    "TFTP blocks", [.. lanes.Where((_, lane) => lane % threads == i)], TftpLane.ReceiveSize));
            }
            // Requests on a thread of their own: to open a file may take a moment, which no transfer should wait for.
            pumps.Add(new TftpPump("TFTP requests", [requests], ReceiveSize));
            var told = Task.Delay(Timeout.InfiniteTimeSpan, _clock, cancellation);
            await await Task.WhenAny([.. pumps.Select(pump => pump.Ended), told]);
        }
        finally
        {
            foreach (var lane in lanes) lane.Close("the server stops");
            foreach (var pump in pumps) pump.Stop();
            await Task.WhenAll(pumps.Select(pump => pump.Ended)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var pump in pumps) pump.Dispose();
            requests.Dispose();
            foreach (var lane in lanes) lane.Dispose();
        }
    }

    /// <summary>The well-known port.</summary>
    private sealed class RequestSink(TftpServer server, Socket socket, List<TftpLane> lanes, TftpRegistry registry)
        : IDatagramSink, IDisposable
    {
        private readonly DatagramReader _forLanes = new(16, TftpLane.ReceiveSize);
        private uint _next;

        public void Dispose() => _forLanes.Dispose();

        public SafeSocketHandle Handle => socket.SafeHandle;

        public void Receive(DatagramReader reader)
        {
            var count = reader.Receive(socket.SafeHandle);
            for (var i = 0; i < count; i++)
            {
                var peer = reader.Sender(i);
                if (peer.Port == 0) continue; // nobody can be answered there
                // Each request gets the next TID, so that what a client still sends to an earlier one goes astray
                // harmlessly (RFC 1350 §4).
                var lane = lanes[(int)(_next++ % lanes.Count)];
                try
                {
                    server.OnRequest(peer, reader.Packet(i), lane, registry, _forLanes);
                }
                catch (Exception e)
                {
                    // A fault in answering one client is logged and must not end the service of the others.
                    server.LogRequestFailed(e, peer);
                    TftpMetrics.CountRequest("fault");
                    lane.Refuse(peer, new TftpError(TftpErrorCode.NotDefined, "internal error"));
                }
            }
        }
    }

    private void OnRequest(
        UdpPeer peer, ReadOnlySpan<byte> packet, TftpLane lane, TftpRegistry registry, DatagramReader forLanes)
    {
        var decision = TftpResponder.Decide(packet);
        if (decision.Request is not { } request)
        {
            TftpMetrics.CountRequest(decision.Reason);
            LogRefused(peer, decision.Path, decision.Detail);
            if (decision.Refusal is not { } refusal) return;
            lane.Refuse(peer, refusal);
            if (decision.Path.Length > 0) Record(peer, decision.Path, StepOutcome.Ignored, decision.Detail);
            return;
        }
        if (registry.LaneOf(peer) is { } running && running.TakesRepeated(peer, request, forLanes))
        {
            TftpMetrics.CountRequest("repeated");
            return;
        }
        if (registry.WhyFull(peer) is { } full)
        {
            Refuse(lane, peer, decision.Path, "limit", StepOutcome.Ignored, TftpErrorCode.NotDefined, full);
            return;
        }
        Answer(peer, request, decision.Path, lane);
    }

    private void Answer(UdpPeer peer, TftpRequest request, string path, TftpLane lane)
    {
        BootFileAnswer answer;
        try
        {
            answer = _directory.Open(new BootFileRequest(peer.Address, path, BootDoor.Tftp));
        }
        catch (IOException e)
        {
            LogOpenFailed(e, path);
            answer = new BootFileAnswer(null, BootRefusal.Failed, e.Message);
        }
        if (answer.Content is not { } content)
        {
            var (outcome, code, text) = answer.Refusal switch
            {
                BootRefusal.Denied => (StepOutcome.Ignored, TftpErrorCode.AccessViolation, "not for this client"),
                BootRefusal.Failed => (StepOutcome.Failed, TftpErrorCode.NotDefined, "the file cannot be read now"),
                _ => (StepOutcome.Probe, TftpErrorCode.FileNotFound, "file not found"),
            };
            var label = answer.Refusal switch
            {
                BootRefusal.Denied => "denied",
                BootRefusal.Failed => "failed",
                _ => "not_found",
            };
            Refuse(lane, peer, path, label, outcome, code, text, answer.Reason);
            return;
        }
        Begin(peer, request, path, lane, content);
    }

    private void Begin(UdpPeer peer, TftpRequest request, string path, TftpLane lane, IBootContent content)
    {
        if (TftpResponder.IsNetascii(request))
        {
            using var raw = content;
            if (raw.Length > Netascii.Limit)
            {
                Refuse(lane, peer, path, "mode", StepOutcome.Ignored, TftpErrorCode.IllegalOperation,
                    "too large for netascii; use octet mode");
                return;
            }
            content = Netascii.Convert(raw);
        }
        if (!TftpTerms.TryAgree(request.Options, content.Length, _options, out var terms, out var refusal))
        {
            content.Dispose();
            Refuse(lane, peer, path, "option", StepOutcome.Ignored, refusal.Code, refusal.Message);
            return;
        }
        TftpMetrics.CountRequest("served");
        lane.Begin(peer, request, path, content, terms);
    }

    private void Refuse(
        TftpLane lane, UdpPeer peer, string path, string label, StepOutcome outcome, TftpErrorCode code, string text,
        string reason = "")
    {
        TftpMetrics.CountRequest(label);
        lane.Refuse(peer, new TftpError(code, text));
        var detail = reason.Length > 0 ? reason : text;
        LogRefused(peer, path, detail);
        Record(peer, path, outcome, detail);
    }

    private void Record(UdpPeer peer, string path, StepOutcome outcome, string detail) =>
        _directory.Record(new BootStep(_clock.GetUtcNow(), BootStage.Tftp, path, outcome, detail)
        {
            Address = peer.Address,
        });
}
