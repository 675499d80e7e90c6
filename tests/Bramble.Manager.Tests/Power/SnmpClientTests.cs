using System.Net;
using System.Net.Sockets;
using Bramble.Manager.Power.Snmp;
using Bramble.Testing;
using Bramble.Wire.Snmp;

namespace Bramble.Manager.Tests.Power;

/// <summary>The client against an agent that misbehaves, under a clock that only the test moves.</summary>
public sealed class SnmpClientTests : IDisposable
{
    private static readonly ObjectId Name = ObjectId.Parse("1.3.6.1.2.1.1.5.0");
    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedAgent _agent = new();
    private readonly SnmpClient _client;

    public SnmpClientTests() => _client = new SnmpClient(
        new SnmpTarget { Host = "127.0.0.1", Port = _agent.Port, Community = "private" }, _time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _agent.Dispose();
    }

    [Fact]
    public async Task Silence_is_asked_three_times_with_doubled_patience_and_then_explained()
    {
        var asking = _client.GetAsync([Name], Cancellation);
        var ids = new HashSet<int>();
        foreach (var wait in new[] { 1, 2, 4 })
        {
            ids.Add((await _agent.NextAsync()).Pdu.RequestId);
            _time.Advance(TimeSpan.FromSeconds(wait));
        }
        var failure = await Assert.ThrowsAsync<SnmpException>(() => asking);
        Assert.Equal(SnmpFailure.NoAnswer, failure.Failure);
        Assert.StartsWith("no answer to SNMP in 3 tries, 7 s in all", failure.Message, StringComparison.Ordinal);
        Assert.Contains("a wrong community for version 2c looks just the same", failure.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("private", failure.ToString(), StringComparison.Ordinal);
        Assert.Single(ids);
    }

    [Fact]
    public async Task A_late_and_doubled_answer_to_an_earlier_question_answers_no_later_one()
    {
        var asking = _client.GetAsync([Name], Cancellation);
        var first = await _agent.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        var again = await _agent.NextAsync();
        var late = ScriptedAgent.Answer(first.Pdu, new VarBind(Name, SnmpValue.Text("first")));
        await _agent.SendAsync(late, first.From);
        await _agent.SendAsync(late, again.From);
        Assert.Equal("first", Assert.Single(await asking).Value.AsText());

        asking = _client.GetAsync([Name], Cancellation);
        var second = await _agent.NextAsync();
        await _agent.SendAsync(late, second.From);
        await _agent.SendAsync([0x30, 0x00], second.From);
        await _agent.SendAsync(second.Bytes, second.From); // our own question, thrown back
        await _agent.SendAsync(
            ScriptedAgent.Answer(second.Pdu, new VarBind(Name, SnmpValue.Text("second"))), second.From);
        Assert.Equal("second", Assert.Single(await asking).Value.AsText());
    }

    [Fact]
    public async Task An_answer_from_another_source_is_not_believed()
    {
        var asking = _client.GetAsync([Name], Cancellation);
        var question = await _agent.NextAsync();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await stranger.SendToAsync(
            ScriptedAgent.Answer(question.Pdu, new VarBind(Name, SnmpValue.Text("stranger"))), question.From);
        await _agent.SendAsync(
            ScriptedAgent.Answer(question.Pdu, new VarBind(Name, SnmpValue.Text("sw1"))), question.From);
        Assert.Equal("sw1", Assert.Single(await asking).Value.AsText());
    }

    [Fact]
    public async Task An_answer_about_something_else_is_nonsense()
    {
        var asking = _client.GetAsync([Name], Cancellation);
        var question = await _agent.NextAsync();
        await _agent.SendAsync(ScriptedAgent.Answer(question.Pdu), question.From);
        Assert.Equal(SnmpFailure.Nonsense, (await Assert.ThrowsAsync<SnmpException>(() => asking)).Failure);
    }

    [Fact]
    public async Task A_walk_that_runs_in_circles_ends()
    {
        var walking = _client.WalkAsync(ObjectId.Parse("1.3.6.1.2.1.1"), Cancellation);
        var question = await _agent.NextAsync();
        Assert.Equal((PduType.GetBulk, 25), (question.Pdu.Type, question.Pdu.MaxRepetitions));
        var row = new VarBind(Name, SnmpValue.Text("sw1"));
        await _agent.SendAsync(ScriptedAgent.Answer(question.Pdu, row, row), question.From);
        var failure = await Assert.ThrowsAsync<SnmpException>(() => walking);
        Assert.Contains("runs in circles at 1.3.6.1.2.1.1.5.0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_named()
    {
        using var free = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        free.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)free.LocalEndPoint!).Port;
        free.Dispose();
        using var client = new SnmpClient(new SnmpTarget
        {
            Host = "127.0.0.1",
            Port = port,
            Community = "x",
            Timeout = TimeSpan.FromMilliseconds(400),
            Retries = 0,
        }, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<SnmpException>(() => client.GetAsync([Name], Cancellation));
        Assert.Equal(SnmpFailure.Unreachable, failure.Failure);
        Assert.Contains($"nothing listens on its UDP port {port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_let_go_and_the_next_one_is_served()
    {
        using var givingUp = new CancellationTokenSource();
        var asking = _client.GetAsync([Name], givingUp.Token);
        await _agent.NextAsync();
        await givingUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);

        asking = _client.GetAsync([Name], Cancellation);
        var question = await _agent.NextAsync();
        await _agent.SendAsync(
            ScriptedAgent.Answer(question.Pdu, new VarBind(Name, SnmpValue.Text("sw1"))), question.From);
        Assert.Single(await asking);
    }
}
