using System.Net;
using System.Net.Sockets;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

/// <summary>The server on loopback, with clients that behave and with some that do not.</summary>
public sealed class DnsServerTests
{
    [Fact]
    public async Task A_change_of_the_zone_is_in_the_very_next_answer()
    {
        var zones = new RackZones();
        await using var dns = await RunningDns.StartAsync(zones);
        var before = await DnsAsk.OverUdpAsync(dns.Door, "node-08.bramble.internal");
        Assert.Equal(DnsResponseCode.NameError, before.Code);
        zones.Current = RackZones.With(DnsRecord.A(RackZones.Node(8), 10, IPv4Address.Parse("10.77.0.8")));
        Assert.Single((await DnsAsk.OverUdpAsync(dns.Door, "node-08.bramble.internal")).Answers);
    }

    [Fact]
    public async Task What_is_too_long_for_udp_is_cut_there_and_whole_over_tcp()
    {
        var zones = new RackZones { Current = RackZones.With(Many()) };
        await using var dns = await RunningDns.StartAsync(zones);
        var cut = await DnsAsk.OverUdpAsync(dns.Door, "many.bramble.internal");
        Assert.Equal((true, 0), (cut.Header.IsTruncated, cut.Answers.Count));
        using var connection = new TcpConversation(dns.Door);
        for (var i = 0; i < 3; i++)
            Assert.Equal(500, (await connection.AskAsync(DnsAsk.Query("many.bramble.internal")))!.Answers.Count);
    }

    [Fact]
    public async Task Malformed_packets_by_the_thousand_are_survived_and_answered_with_formerr_or_not_at_all()
    {
        await using var dns = await RunningDns.StartAsync(new RackZones(), options: o => o with { Burst = 100_000 });
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var golden = DnsAsk.Query("node-07.bramble.internal", edns: new DnsEdns(1232, 0, true, default));
        for (var i = 0; i < 5000; i++)
        {
            var packet = Mutation.Of(golden, random);
            await client.SendAsync(packet, packet.Length, dns.Door);
            while (client.Available > 0)
            {
                var reply = await client.ReceiveAsync(TestContext.Current.CancellationToken);
                Assert.True(DnsMessage.TryRead(reply.Buffer, out var message, out _) && message.Header.IsResponse);
            }
        }
        Assert.Single((await DnsAsk.OverUdpAsync(dns.Door, "node-07.bramble.internal")).Answers);
    }

    [Fact]
    public async Task A_flood_of_one_client_is_left_unanswered_beyond_its_rate_and_others_are_served()
    {
        await using var dns = await RunningDns.StartAsync(
            new RackZones(), options: o => o with { Burst = 50, PerSecond = 1 });
        var query = DnsAsk.Query("node-07.bramble.internal");
        using var flooder = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
        for (var i = 0; i < 5000; i++) await flooder.SendAsync(query, query.Length, dns.Door);
        Assert.Single((await DnsAsk.OverUdpAsync(dns.Door, query)).Answers);
        var answered = 0;
        while (flooder.Available > 0)
        {
            await flooder.ReceiveAsync(TestContext.Current.CancellationToken);
            answered++;
        }
        Assert.InRange(answered, 50, 60);
    }

    [Fact]
    public async Task Clients_that_wait_for_upstream_do_not_hold_up_the_cluster_s_names()
    {
        await using var silent = new ScriptedUpstream(_ => []);
        await using var dns = await RunningDns.StartAsync(new RackZones(), [silent.EndPoint],
            o => o with { MaxWaiting = 100, MaxWaitingOfClient = 20 });
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        for (var i = 0; i < 60; i++)
        {
            var query = DnsAsk.Query($"h{i}.example.org", id: (ushort)i);
            await client.SendAsync(query, query.Length, dns.Door);
        }
        Assert.Single((await DnsAsk.OverUdpAsync(dns.Door, "node-07.bramble.internal")).Answers);
        // Those above the bound are told at once that it will not be.
        for (var i = 0; i < 40; i++)
        {
            var reply = await client.ReceiveAsync(TestContext.Current.CancellationToken).AsTask()
                .WithinAsync("the refusal of a question too many");
            Assert.Equal((byte)DnsResponseCode.ServerFailure, (byte)(reply.Buffer[3] & 15));
        }
    }

    [Fact]
    public async Task Only_clients_of_our_networks_have_their_questions_passed_on()
    {
        await using var upstream = new ScriptedUpstream(query =>
            [ScriptedUpstream.Reply(query, DnsRecord.A(query.Questions[0].Name, 60, IPv4Address.Parse("192.0.2.80")))]);
        await using var dns = await RunningDns.StartAsync(new RackZones(), [upstream.EndPoint],
            o => o with { Recursion = [IPv4Prefix.Parse("127.0.0.1/32")] });
        var answer = await DnsAsk.OverUdpAsync(dns.Door, "www.example.org");
        Assert.Equal((1, true, false, false), (answer.Answers.Count, answer.Header.RecursionAvailable,
            answer.Header.IsAuthoritative, answer.Header.AuthenticData));
        using var stranger = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
        var query = DnsAsk.Query("www.example.org");
        await stranger.SendAsync(query, query.Length, dns.Door);
        var refused = await stranger.ReceiveAsync(TestContext.Current.CancellationToken).AsTask()
            .WithinAsync("a refusal");
        Assert.Equal((byte)DnsResponseCode.Refused, (byte)(refused.Buffer[3] & 15));
        Assert.Single(upstream.Asked);
    }

    [Fact]
    public async Task Slow_tcp_clients_are_cut_and_when_all_places_are_taken_the_longest_resting_makes_room()
    {
        await using var dns = await RunningDns.StartAsync(new RackZones(), options: o => o with
        {
            MaxConnections = 8,
            MaxConnectionsOfClient = 6,
            TransferTimeout = TimeSpan.FromMilliseconds(300),
            IdleTimeout = TimeSpan.FromSeconds(60),
        });
        // One octet of a question, and then nothing: it is cut after the time for a question.
        using var drip = new TcpConversation(dns.Door);
        await drip.SendAsync([0]);
        Assert.Null(await drip.ReadAsync());
        // Idle ones of several addresses take all places; a newcomer gets the oldest's.
        var idle = new List<TcpConversation>();
        for (var i = 0; i < 8; i++)
        {
            idle.Add(new TcpConversation(dns.Door, $"127.0.1.{i % 4 + 1}"));
            Assert.Single((await idle[i].AskAsync(DnsAsk.Query("node-07.bramble.internal")))!.Answers);
        }
        using var newcomer = new TcpConversation(dns.Door, "127.0.1.9");
        Assert.Single((await newcomer.AskAsync(DnsAsk.Query("node-07.bramble.internal")))!.Answers);
        Assert.Null(await idle[0].ReadAsync());
        Assert.Single((await idle[7].AskAsync(DnsAsk.Query("node-07.bramble.internal")))!.Answers);
        foreach (var connection in idle) connection.Dispose();
    }

    [Fact]
    public async Task One_client_s_connections_are_bounded_and_the_rest_of_the_world_is_served()
    {
        await using var dns = await RunningDns.StartAsync(
            new RackZones(), options: o => o with { MaxConnectionsOfClient = 3 });
        var greedy = new List<TcpConversation>();
        for (var i = 0; i < 20; i++) greedy.Add(new TcpConversation(dns.Door, "127.0.1.1"));
        var served = 0;
        foreach (var connection in greedy)
            if (await connection.AskAsync(DnsAsk.Query("node-07.bramble.internal")) is not null) served++;
        Assert.Equal(3, served);
        using var other = new TcpConversation(dns.Door, "127.0.1.2");
        Assert.Single((await other.AskAsync(DnsAsk.Query("node-07.bramble.internal")))!.Answers);
        foreach (var connection in greedy) connection.Dispose();
    }

    [Fact]
    public async Task A_message_that_gets_no_answer_ends_its_connection()
    {
        await using var dns = await RunningDns.StartAsync(new RackZones());
        using var connection = new TcpConversation(dns.Door);
        Assert.Null(await connection.AskAsync([1, 2, 3]));
        using var empty = new TcpConversation(dns.Door);
        Assert.Null(await empty.AskAsync([]));
    }

    private static DnsRecord[] Many() => [.. Enumerable.Range(0, 500).Select(i =>
        DnsRecord.A(RackZones.Zone.Prepend("many"), 10, new IPv4Address(0x0a4e0000u + (uint)i)))];
}
