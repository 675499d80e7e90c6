using System.Net;
using System.Net.Sockets;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Dns;

/// <summary>
/// Passes questions about other people's names on to upstream servers, one after the other until one answers, and
/// remembers the answers. Shared by all networks; thread-safe.
/// </summary>
public sealed partial class DnsForwarder
{
    private readonly Func<IReadOnlyList<IPEndPoint>> _upstreams;
    private readonly DnsForwarderOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly DnsCache _cache;
    private readonly Lock _lock = new();
    private readonly Dictionary<DnsCacheKey, Task<DnsMessage>> _underWay = [];
    private IPEndPoint? _good;
    private bool _silent;

    /// <param name="upstreams">The servers, best first; asked for each question, so that the list may change.</param>
    public DnsForwarder(
        Func<IReadOnlyList<IPEndPoint>> upstreams, DnsForwarderOptions options, TimeProvider clock,
        ILogger<DnsForwarder> logger)
    {
        _upstreams = upstreams;
        _options = options;
        _clock = clock;
        _logger = logger;
        _cache = new DnsCache(options.CacheEntries, options.CacheOctets, clock);
    }

    /// <summary>Whether there is anybody to ask.</summary>
    public bool HasUpstreams => _upstreams().Count > 0;

    /// <summary>Different questions that wait for upstream now.</summary>
    public int Outstanding
    {
        get
        {
            lock (_lock) return _underWay.Count;
        }
    }

    /// <summary>
    /// The answer to a question: code and sections, without header and EDNS of its own. Never fails; what cannot be
    /// answered is SERVFAIL.
    /// </summary>
    public Task<DnsMessage> AskAsync(DnsQuestion question, bool dnssecOk, bool checkingDisabled)
    {
        var key = new DnsCacheKey(question, dnssecOk, checkingDisabled);
        if (_cache.Find(key) is { } known)
        {
            DnsMetrics.CountUpstream("cached");
            return Task.FromResult(known);
        }
        TaskCompletionSource<DnsMessage> mine;
        lock (_lock)
        {
            // RFC 5452 §5: a second query for the same would double a forger's chances.
            if (_underWay.TryGetValue(key, out var asking)) return asking;
            if (_underWay.Count >= _options.MaxOutstanding)
            {
                DnsMetrics.CountUpstream("busy");
                return Task.FromResult(Failure);
            }
            mine = new TaskCompletionSource<DnsMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
            _underWay.Add(key, mine.Task);
        }
        _ = FindOutAsync(key, mine);
        return mine.Task;
    }

    private static DnsMessage Failure { get; } = new() { Code = DnsResponseCode.ServerFailure };

    private async Task FindOutAsync(DnsCacheKey key, TaskCompletionSource<DnsMessage> result)
    {
        var (message, octets) = (Failure, 0);
        try
        {
            using var deadline = new CancellationTokenSource(_options.Deadline, _clock);
            (message, octets) = await TryAllAsync(key, deadline.Token);
        }
        catch (Exception e)
        {
            LogBroken(e, key.Question);
        }
        _cache.Put(key, message, octets);
        lock (_lock) _underWay.Remove(key);
        result.SetResult(message);
    }

    private async Task<(DnsMessage Message, int Octets)> TryAllAsync(DnsCacheKey key, CancellationToken deadline)
    {
        (DnsMessage, int)? poor = null;
        var servers = InOrder();
        try
        {
            for (var round = 0; round < _options.Rounds; round++)
            {
                foreach (var server in servers)
                {
                    if (await AskAsync(server, key, deadline) is not { } answer) continue;
                    if (answer.Message.Code is DnsResponseCode.NoError or DnsResponseCode.NameError)
                    {
                        Heard(server);
                        return Told(answer);
                    }
                    // Another one may know better; if none does, this is what is known.
                    poor = Told(answer);
                    DnsMetrics.CountUpstream("failure");
                }
                if (poor is { } said) return said;
            }
        }
        catch (OperationCanceledException)
        {
            // The client's patience is over.
        }
        if (poor is { } last) return last;
        DnsMetrics.CountUpstream("silence");
        if (!Interlocked.Exchange(ref _silent, true))
            LogSilent(string.Join(", ", servers.Select(server => server.ToString())), key.Question);
        return (Failure, 0);
    }

    private async Task<(DnsMessage Message, int Octets)?> AskAsync(
        IPEndPoint server, DnsCacheKey key, CancellationToken deadline)
    {
        try
        {
            var answer = await UpstreamQuery.AskAsync(server, key, edns: true, _options, _clock, deadline);
            // RFC 6891 §6.2.2: it may be so old that it does not know the OPT record.
            if (answer?.Message is
                { Edns: null, Code: DnsResponseCode.FormatError or DnsResponseCode.NotImplemented })
                answer = await UpstreamQuery.AskAsync(server, key, edns: false, _options, _clock, deadline);
            DnsMetrics.CountUpstream(answer is null ? "timeout" : "answered");
            return answer;
        }
        catch (SocketException e)
        {
            DnsMetrics.CountUpstream("unreachable");
            LogUnreachable(server, e.SocketErrorCode);
            return null;
        }
        catch (IOException e)
        {
            DnsMetrics.CountUpstream("unreachable");
            LogUnreachable(server, (e.InnerException as SocketException)?.SocketErrorCode ?? SocketError.SocketError);
            return null;
        }
    }

    /// <summary>The server that answered last comes first: a dead one costs its time-out once, not each time.</summary>
    private IReadOnlyList<IPEndPoint> InOrder()
    {
        var servers = _upstreams();
        return _good is { } good && servers.Contains(good)
            ? [good, .. servers.Where(server => !server.Equals(good))] : servers;
    }

    private void Heard(IPEndPoint server)
    {
        _good = server;
        if (Interlocked.Exchange(ref _silent, false)) LogHeard(server);
    }

    /// <summary>What of an answer is passed on: we have not checked a signature, and so do not claim it (AD).</summary>
    private static (DnsMessage Message, int Octets) Told((DnsMessage Message, int Octets) answer) => (new DnsMessage
    {
        Code = (DnsResponseCode)((int)answer.Message.Code & 15),
        Answers = answer.Message.Answers,
        Authorities = answer.Message.Authorities,
        Additionals = answer.Message.Additionals,
    }, answer.Octets);
}
