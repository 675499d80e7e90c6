using System.Net;
using Bramble.Boot.Dns;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Dns;

/// <summary>How questions are passed on, to upstream servers that behave and to some that do not.</summary>
public sealed class DnsForwarderTests
{
    private static readonly IPv4Address Somewhere = IPv4Address.Parse("192.0.2.80");

    [Fact]
    public async Task Each_query_has_a_port_and_an_id_of_its_own()
    {
        await using var upstream = new ScriptedUpstream(query => [Good(query)]);
        var forwarder = Forwarder([upstream.EndPoint]);
        for (var i = 0; i < 64; i++) Assert.Single((await AskAsync(forwarder, $"h{i}.example.org")).Answers);
        Assert.InRange(upstream.Asked.Select(a => a.Port).Distinct().Count(), 60, 64);
        Assert.InRange(upstream.Asked.Select(a => a.Query.Header.Id).Distinct().Count(), 60, 64);
        Assert.All(upstream.Asked, a => Assert.Equal((1232, true),
            ((int)a.Query.Edns!.UdpSize, a.Query.Header.RecursionDesired)));
    }

    [Fact]
    public async Task Answers_that_do_not_fit_the_question_are_not_believed()
    {
        await using var upstream = new ScriptedUpstream(query =>
        [
            Forged(query) with { Header = Good(query).Header with { Id = (ushort)(query.Header.Id + 1) } },
            Forged(query) with { Questions = [new DnsQuestion(DnsName.Parse("other.example.org"), DnsType.A)] },
            Forged(query) with { Questions = [new DnsQuestion(query.Questions[0].Name, DnsType.AAAA)] },
            Forged(query) with { Header = Good(query).Header with { IsResponse = false } },
            Good(query),
        ]);
        var answer = await AskAsync(Forwarder([upstream.EndPoint]), "www.example.org");
        Assert.Equal(Somewhere, IPv4Address.Read(Assert.Single(answer.Answers).Data.Span));
    }

    [Fact]
    public async Task When_somebody_guesses_the_question_is_put_over_tcp()
    {
        await using var upstream = new ScriptedUpstream(
            query => Enumerable.Range(1, 40).Select(i =>
                Forged(query) with { Header = Good(query).Header with { Id = (ushort)(query.Header.Id + i) } }),
            Good);
        var answer = await AskAsync(Forwarder([upstream.EndPoint]), "www.example.org");
        Assert.Equal(Somewhere, IPv4Address.Read(Assert.Single(answer.Answers).Data.Span));
        Assert.Equal(1, upstream.AskedOverTcp);
    }

    [Fact]
    public async Task A_cut_answer_is_fetched_whole_over_tcp()
    {
        await using var upstream = new ScriptedUpstream(
            query => [Good(query) with { Answers = [], Header = Good(query).Header with { IsTruncated = true } }],
            query => ScriptedUpstream.Reply(query, [.. Enumerable.Range(0, 200).Select(i =>
                DnsRecord.A(query.Questions[0].Name, 60, new IPv4Address((uint)i)))]));
        Assert.Equal(200, (await AskAsync(Forwarder([upstream.EndPoint]), "many.example.org")).Answers.Count);
    }

    [Fact]
    public async Task A_dead_server_and_one_that_fails_are_passed_over_and_the_good_one_is_asked_first_from_then_on()
    {
        await using var silent = new ScriptedUpstream(_ => []);
        await using var failing = new ScriptedUpstream(query =>
            [Good(query) with { Answers = [], Code = DnsResponseCode.ServerFailure }]);
        await using var good = new ScriptedUpstream(query => [Good(query)]);
        var nobody = new IPEndPoint(IPAddress.Loopback, RunningDns.FreePort());
        var forwarder = Forwarder([nobody, silent.EndPoint, failing.EndPoint, good.EndPoint]);
        Assert.Single((await AskAsync(forwarder, "one.example.org")).Answers);
        Assert.Single((await AskAsync(forwarder, "two.example.org")).Answers);
        Assert.Equal((1, 1, 2), (silent.Asked.Count, failing.Asked.Count, good.Asked.Count));
    }

    [Fact]
    public async Task A_server_that_does_not_know_edns_is_asked_without_it()
    {
        await using var old = new ScriptedUpstream(query => query.Edns is null ? [Good(query)]
            : [Good(query) with { Answers = [], Code = DnsResponseCode.FormatError, Questions = [] }]);
        Assert.Single((await AskAsync(Forwarder([old.EndPoint]), "www.example.org")).Answers);
    }

    [Fact]
    public async Task When_nobody_answers_the_question_fails_in_time_and_the_failure_is_remembered()
    {
        await using var silent = new ScriptedUpstream(_ => []);
        var forwarder = Forwarder([silent.EndPoint]);
        Assert.Equal(DnsResponseCode.ServerFailure, (await AskAsync(forwarder, "www.example.org")).Code);
        Assert.Equal(2, silent.Asked.Count);
        Assert.Equal(DnsResponseCode.ServerFailure, (await AskAsync(forwarder, "www.example.org")).Code);
        Assert.Equal((2, 0), (silent.Asked.Count, forwarder.Outstanding));
    }

    [Fact]
    public async Task The_same_question_is_asked_once_however_many_wait_and_known_afterwards()
    {
        using var gate = new SemaphoreSlim(0);
        await using var upstream = new ScriptedUpstream(query =>
        {
            gate.Wait(Patience.Limit, TestContext.Current.CancellationToken);
            return [Good(query)];
        });
        var forwarder = Forwarder([upstream.EndPoint], TimeSpan.FromSeconds(20));
        var waiting = Enumerable.Range(0, 50).Select(_ => AskAsync(forwarder, "www.example.org")).ToArray();
        Assert.Equal(1, forwarder.Outstanding);
        gate.Release();
        foreach (var answer in waiting) Assert.Single((await answer).Answers);
        Assert.Single((await AskAsync(forwarder, "WWW.example.org")).Answers);
        Assert.Single(upstream.Asked);
    }

    [Fact]
    public async Task No_more_than_the_bound_is_under_way_and_the_rest_fails_at_once()
    {
        await using var silent = new ScriptedUpstream(_ => []);
        var forwarder = new DnsForwarder(() => [silent.EndPoint],
            new DnsForwarderOptions { MaxOutstanding = 10, TryTimeout = TimeSpan.FromMilliseconds(200) },
            TimeProvider.System, NullLogger<DnsForwarder>.Instance);
        var asked = Enumerable.Range(0, 30).Select(i => AskAsync(forwarder, $"h{i}.example.org")).ToArray();
        Assert.Equal(10, forwarder.Outstanding);
        Assert.Equal(20, asked.Count(task => task.IsCompleted));
        foreach (var task in asked) Assert.Equal(DnsResponseCode.ServerFailure, (await task).Code);
        Assert.Equal(0, forwarder.Outstanding);
    }

    [Fact]
    public void The_host_s_own_name_servers_are_used_but_never_ourselves()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "# x\nsearch a.test\nnameserver 10.77.0.1\nnameserver\t192.0.2.1 # home\n"
                + "nameserver fd00::1\nnameserver nonsense\n");
            var clock = new ManualTimeProvider();
            var resolvers = new SystemResolvers(file, [IPAddress.Parse("10.77.0.1")], clock);
            Assert.Equal(["192.0.2.1:53", "[fd00::1]:53"], resolvers.Current.Select(server => server.ToString()));
            File.WriteAllText(file, "nameserver 192.0.2.9\n");
            File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            Assert.Equal(2, resolvers.Current.Count);
            clock.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal("192.0.2.9:53", Assert.Single(resolvers.Current).ToString());
        }
        finally
        {
            File.Delete(file);
        }
        Assert.Empty(new SystemResolvers(file, [], new ManualTimeProvider()).Current);
    }

    private static DnsForwarder Forwarder(IReadOnlyList<IPEndPoint> upstreams, TimeSpan? patience = null) => new(
        () => upstreams, new DnsForwarderOptions
        {
            TryTimeout = patience ?? TimeSpan.FromMilliseconds(400),
            Deadline = patience ?? TimeSpan.FromSeconds(10),
        },
        TimeProvider.System, NullLogger<DnsForwarder>.Instance);

    private static Task<DnsMessage> AskAsync(DnsForwarder forwarder, string name) =>
        forwarder.AskAsync(new DnsQuestion(DnsName.Parse(name), DnsType.A), false, false)
            .WithinAsync($"an answer about {name}");

    private static DnsMessage Good(DnsMessage query) =>
        ScriptedUpstream.Reply(query, DnsRecord.A(query.Questions[0].Name, 60, Somewhere));

    private static DnsMessage Forged(DnsMessage query) => ScriptedUpstream.Reply(
        query, DnsRecord.A(query.Questions[0].Name, 60, IPv4Address.Parse("6.6.6.6")));
}
