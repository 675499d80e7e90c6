using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Nodes;

/// <summary>Follows nodes until each has come where it was sent, or has failed.</summary>
internal sealed class NodeWait
{
    /// <summary>Names that fit well into a request line (8 KiB at most servers); for more, all are fetched.</summary>
    private const int MaxNamed = 100;

    private readonly Session _session;
    private readonly NodeGoalTest _goal;
    private readonly Dictionary<long, NodeView> _before;
    private readonly Dictionary<long, string> _said = [];
    private readonly long _start;

    private NodeWait(Session session, NodeGoalTest goal, IReadOnlyList<NodeView> before)
    {
        _session = session;
        _goal = goal;
        _before = before.ToDictionary(node => node.Id);
        _start = session.Terminal.Time.GetTimestamp();
    }

    private TimeSpan Elapsed => _session.Terminal.Time.GetElapsedTime(_start);

    /// <summary>Looks at the nodes before the deed, so that their old state is not taken for its outcome.</summary>
    public static async Task<NodeWait> BeginAsync(
        Session session, Selection selection, NodeGoalTest goal, CancellationToken cancellation)
    {
        var before = await session.Api.GetAsync(
            PathOf(ApiRoutes.Nodes, selection.Select), ContractsJson.Default.IReadOnlyListNodeView, cancellation);
        return new NodeWait(session, goal, before.Value);
    }

    public async Task<int> FollowAsync(IReadOnlyList<NodeActionOutcome> nodes, CancellationToken cancellation)
    {
        if (nodes.Count == 0) return ExitCode.Failed;
        var waiting = nodes.ToDictionary(node => node.Id, node => node.Name);
        var failed = 0;
        using var deadline = _session.Timeout is { } limit
            ? new DeadlineSource(limit, _session.Terminal.Time, cancellation)
            : CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var patience = new Patience(_session);
            while (true)
            {
                foreach (var (id, text, state) in await LookAsync(patience, waiting, deadline.Token))
                {
                    SayOnce(id, waiting[id], text);
                    if (state == WaitState.Going) continue;
                    if (state == WaitState.Failed) failed++;
                    waiting.Remove(id);
                }
                if (waiting.Count == 0) break;
                await Task.Delay(Watch.Interval, _session.Terminal.Time, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            _session.Say($"gave up after {Human.Span(Elapsed)}, still waiting for {string.Join(", ", waiting.Values)}; "
                + $"see what they do: bramble timeline {waiting.Values.First()}");
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            _session.Say("no longer waiting; the manager goes on with it");
            throw;
        }
        _session.Say(
            $"{nodes.Count - failed} of {Human.Plural(nodes.Count, "node")} {_goal.Word} after {Human.Span(Elapsed)}");
        return failed == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task<List<(long Id, string Text, WaitState State)>> LookAsync(
        Patience patience, Dictionary<long, string> waiting, CancellationToken cancellation)
    {
        var looks = new List<(long Id, string Text, WaitState State)>();
        if (_goal.ByPower)
        {
            var path = PathOf(ApiRoutes.Power, waiting.Values);
            var ports = await patience.TryAsync(
                token => _session.Api.GetAsync(path, ContractsJson.Default.IReadOnlyListPowerView, token),
                cancellation);
            foreach (var port in ports?.Value ?? [])
            {
                if (!waiting.ContainsKey(port.NodeId)) continue;
                var reached = port.State == "off" ? WaitState.Reached : WaitState.Going;
                looks.Add((port.NodeId, $"power {port.State}", reached));
            }
            return looks;
        }
        var nodesPath = PathOf(ApiRoutes.Nodes, waiting.Values);
        var nodes = await patience.TryAsync(
            token => _session.Api.GetAsync(nodesPath, ContractsJson.Default.IReadOnlyListNodeView, token),
            cancellation);
        foreach (var node in nodes?.Value ?? [])
        {
            if (!waiting.ContainsKey(node.Id)) continue;
            var word = NodeLook.Word(node.Phase);
            var state = _goal.Look(_before.GetValueOrDefault(node.Id), node);
            var text = state == WaitState.Failed && node.Verdict is { Length: > 0 } why ? $"{word}: {why}" : word;
            looks.Add((node.Id, text, state));
        }
        return looks;
    }

    private void SayOnce(long id, string name, string text)
    {
        if (_said.GetValueOrDefault(id) == text) return;
        _said[id] = text;
        _session.Say($"+{Human.Span(Elapsed),-4} {name}: {text}");
    }

    private static string PathOf(string route, IReadOnlyCollection<string> names) =>
        names.Count > MaxNamed ? route : ApiPath.With(route, names.Select(name => ("select", (string?)name)));
}
