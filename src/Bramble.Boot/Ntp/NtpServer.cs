using System.Net;
using System.Net.Sockets;
using Bramble.Boot.Sockets;
using Bramble.Wire.Ntp;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Ntp;

/// <summary>
/// Serves the time of this host (SNTPv4, RFC 4330): boards have no clock that survives a power cut, and certificates
/// and logs need one from the first minute.
/// </summary>
public sealed partial class NtpServer
{
    private const int ReceiveSize = 1024;

    private static readonly TimeSpan KernelInterval = TimeSpan.FromSeconds(4);

    private readonly NtpOptions _options;
    private readonly IBootDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly ILogger<NtpServer> _logger;
    private readonly Func<KernelClock> _readKernel;
    private readonly PortDoor _door;
    private readonly NtpClients _clients;
    private readonly long _origin;
    private KernelClock _kernel;
    private TimeSpan _kernelReadAt = TimeSpan.MinValue;
    private DateTimeOffset _reference;

    public NtpServer(NtpOptions options, IBootDirectory directory, TimeProvider clock, ILogger<NtpServer> logger)
        : this(options, directory, clock, logger, KernelClock.Read)
    {
    }

    internal NtpServer(
        NtpOptions options, IBootDirectory directory, TimeProvider clock, ILogger<NtpServer> logger,
        Func<KernelClock> readKernel)
    {
        if (options.Stratum is 0 or > 15)
            throw new ArgumentException($"stratum {options.Stratum} is not 1 to 15", nameof(options));
        _options = options;
        _directory = directory;
        _clock = clock;
        _logger = logger;
        _readKernel = readKernel;
        var binding = new LocalBinding(options.Address, options.Interface);
        _door = new PortDoor("NTP", binding, ProtocolType.Udp, options.Port, clock, logger);
        _clients = new NtpClients(Math.Max(1, options.MaxClients));
        _origin = clock.GetTimestamp();
    }

    /// <summary>Completes when requests are taken, with the address and the port.</summary>
    public Task<IPEndPoint> Listening => _door.Listening;

    /// <summary>Serves until cancelled. An interface that is not there is waited for.</summary>
    public Task RunAsync(CancellationToken cancellation) => _door.RunAsync(ServeAsync, cancellation);

    private async Task ServeAsync(Socket socket, CancellationToken cancellation)
    {
        var buffer = new byte[ReceiveSize];
        var reply = new byte[NtpPacket.Size];
        var sender = UdpPeer.Buffer();
        while (true)
        {
            var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender, cancellation);
            var received = _clock.GetUtcNow();
            if (!TryAnswer(UdpPeer.From(sender), buffer.AsSpan(0, length), received, out var answer)) continue;
            answer = answer with { TransmitTime = NtpTimestamp.From(_clock.GetUtcNow()) };
            answer.Write(reply);
            try
            {
                socket.SendTo(reply, SocketFlags.None, sender);
            }
            catch (SocketException e)
            {
                // The client is not reachable: it asks again.
                LogSendFailed(e.SocketErrorCode);
            }
        }
    }

    /// <summary>True with the reply, which is never longer than the request; false to stay silent.</summary>
    internal bool TryAnswer(UdpPeer peer, ReadOnlySpan<byte> packet, DateTimeOffset received, out NtpPacket reply)
    {
        reply = default;
        if (peer.Port == 0) return Ignore(peer, "malformed", "port 0 cannot be answered");
        if (!NtpPacket.TryRead(packet, out var request, out var error))
            return Ignore(peer, "malformed", error.Reason);
        if (NtpResponder.WhyIgnored(request) is { } reason)
            return Ignore(peer, reason, $"version {request.Version}, {request.Mode}");
        var now = _clock.GetElapsedTime(_origin);
        var verdict = _clients.Count(peer.Address, request.TransmitTime.IsUnknown, now);
        if (verdict == NtpVerdict.TooFast) return Ignore(peer, "rate", "asks too often");
        if (_kernelReadAt == TimeSpan.MinValue || now - _kernelReadAt >= KernelInterval)
        {
            _kernel = _readKernel();
            _kernelReadAt = now;
            _reference = received;
        }
        // A clock that was set back must not make the reference lie in the future: clients refuse that.
        if (_reference > received) _reference = received;
        NtpMetrics.CountRequest("answered");
        reply = NtpResponder.Reply(request, _kernel, _options.Stratum, _reference, received);
        if (verdict == NtpVerdict.AnswerAndTell) Tell(peer, reply.Stratum, received);
        return true;
    }

    private bool Ignore(UdpPeer peer, string reason, string detail)
    {
        NtpMetrics.CountRequest(reason);
        LogIgnored(peer, reason, detail);
        return false;
    }

    private void Tell(UdpPeer peer, byte stratum, DateTimeOffset at)
    {
        var trust = _kernel.Synchronized ? "" : "; this host's own clock is not synchronized";
        var detail = $"gave the time, stratum {stratum}{trust}";
        _directory.Record(new BootStep(at, BootStage.Time, "NTP", StepOutcome.Ok, detail) { Address = peer.Address });
    }
}
