using Bramble.Boot.Ntp;
using Bramble.Boot.Sockets;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Ntp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Ntp;

/// <summary>What is answered and what is not, without a socket.</summary>
public sealed class NtpServerTests
{
    private static readonly UdpPeer Board = Peer("10.77.0.5");

    private readonly ManualTimeProvider _clock = new();
    private readonly RecordingBootDirectory _directory = new();
    private KernelClock _kernel = KernelClock.Unsynchronized;

    [Fact]
    public void A_host_whose_clock_nobody_keeps_still_gives_the_time_but_claims_little()
    {
        Assert.True(Ask(Server(), Board, Request(), out var reply));
        Assert.Equal((NtpMode.Server, NtpLeap.None, (byte)10), (reply.Mode, reply.Leap, reply.Stratum));
        Assert.Equal(0x4c4f434cu, reply.ReferenceId);
        Assert.Equal(NtpTimestamp.From(_clock.GetUtcNow()), reply.ReceiveTime);
        Assert.Equal(655u, reply.RootDispersion);
    }

    [Fact]
    public void A_synchronized_host_claims_stratum_3_and_says_how_far_off_it_may_be()
    {
        _kernel = new KernelClock(true, TimeSpan.FromMilliseconds(500), NtpLeap.LastMinuteHas61Seconds);
        Assert.True(Ask(Server(), Board, Request(), out var reply));
        Assert.Equal((NtpLeap.LastMinuteHas61Seconds, (byte)3), (reply.Leap, reply.Stratum));
        Assert.Equal(32768u, reply.RootDispersion);
    }

    [Fact]
    public void The_operator_s_stratum_is_used_as_it_is_and_an_impossible_one_is_an_error()
    {
        Assert.True(Ask(Server(stratum: 5), Board, Request(), out var reply));
        Assert.Equal(5, reply.Stratum);
        Assert.Throws<ArgumentException>(() => Server(stratum: 0));
        Assert.Throws<ArgumentException>(() => Server(stratum: 16));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    public void Version_poll_and_transmit_time_come_back_as_the_client_sent_them(byte version)
    {
        var sentAt = new NtpTimestamp(0x123456789abcdef0);
        var request = Request() with { Version = version, Poll = 8, TransmitTime = sentAt };
        Assert.True(Ask(Server(), Board, request, out var reply));
        Assert.Equal((version, (sbyte)8, request.TransmitTime), (reply.Version, reply.Poll, reply.OriginTime));
    }

    [Theory]
    [InlineData(NtpMode.Reserved, 4)]
    [InlineData(NtpMode.SymmetricActive, 4)]
    [InlineData(NtpMode.SymmetricPassive, 4)]
    [InlineData(NtpMode.Server, 4)]
    [InlineData(NtpMode.Broadcast, 4)]
    [InlineData(NtpMode.Control, 2)]
    [InlineData(NtpMode.Private, 2)]
    [InlineData(NtpMode.Client, 0)]
    [InlineData(NtpMode.Client, 5)]
    [InlineData(NtpMode.Client, 7)]
    public void Only_clients_of_a_known_version_are_answered(NtpMode mode, byte version) =>
        Assert.False(Ask(Server(), Board, Request() with { Mode = mode, Version = version }, out _));

    [Fact]
    public void Short_packets_and_noise_are_not_answered_and_do_not_throw()
    {
        var server = Server();
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var packet = new byte[random.Next(100)];
            random.NextBytes(packet);
            var peer = new UdpPeer((ulong)random.NextInt64() & 0xffff_ffff_ffff);
            var answered = server.TryAnswer(peer, packet, _clock.GetUtcNow(), out _);
            if (packet.Length < NtpPacket.Size || peer.Port == 0) Assert.False(answered);
        }
    }

    [Fact]
    public void A_client_that_asks_too_often_is_left_unanswered_until_it_calms_down()
    {
        var server = Server();
        var answered = 0;
        for (var i = 0; i < 100; i++)
            if (Ask(server, Board, Request(), out _)) answered++;
        Assert.Equal(16, answered);
        Assert.True(Ask(server, Peer("10.77.0.6"), Request(), out _));
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(Ask(server, Board, Request(), out _));
        Assert.False(Ask(server, Board, Request(), out _));
    }

    [Fact]
    public void The_memory_of_clients_is_bounded()
    {
        var server = Server(maxClients: 2);
        foreach (var address in new[] { "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1" })
            Ask(server, Peer(address), Request(), out _);
        // The first was forgotten for the third, so it counts as new.
        Assert.Equal(4, Steps().Count);
    }

    [Fact]
    public void The_first_time_service_goes_on_the_timeline_and_the_polls_do_not()
    {
        var server = Server();
        for (var poll = 0; poll < 20; poll++)
        {
            Assert.True(Ask(server, Board, Request() with { TransmitTime = new NtpTimestamp(1) }, out _));
            _clock.Advance(TimeSpan.FromSeconds(64));
        }
        var step = Assert.Single(Steps());
        Assert.Equal((BootStage.Time, "NTP", StepOutcome.Ok, IPv4Address.Parse("10.77.0.5")),
            (step.Stage, step.What, step.Outcome, step.Address));
        Assert.Equal("gave the time, stratum 10; this host's own clock is not synchronized", step.Detail);
    }

    [Fact]
    public void Each_boot_of_a_board_that_sets_its_clock_once_goes_on_the_timeline()
    {
        var server = Server();
        Ask(server, Board, Request(), out _);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Ask(server, Board, Request(), out _); // its first reply was lost
        _clock.Advance(TimeSpan.FromMinutes(5));
        Ask(server, Board, Request(), out _); // booted again
        Assert.Equal(2, Steps().Count);
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_claim_to_have_been_set_in_the_future()
    {
        var server = Server();
        Ask(server, Board, Request(), out _);
        _clock.JumpWallClock(TimeSpan.FromDays(-1));
        Assert.True(Ask(server, Board, Request(), out var reply));
        Assert.True(NtpTimestamp.Difference(reply.ReceiveTime, reply.ReferenceTime) >= TimeSpan.Zero);
    }

    [Fact]
    public void The_kernel_tells_about_its_clock()
    {
        var kernel = KernelClock.Read();
        Assert.InRange(kernel.MaxError, TimeSpan.Zero, TimeSpan.FromSeconds(16));
    }

    private static NtpPacket Request() => new() { Version = 4, Mode = NtpMode.Client };

    private static UdpPeer Peer(string address) => new((ulong)IPv4Address.Parse(address).Bits << 16 | 40_000);

    private NtpServer Server(byte? stratum = null, int maxClients = 100) => new(
        new NtpOptions { Address = RecordingBootDirectory.Loopback, Stratum = stratum, MaxClients = maxClients },
        _directory, _clock, NullLogger<NtpServer>.Instance, () => _kernel);

    private bool Ask(NtpServer server, UdpPeer peer, NtpPacket request, out NtpPacket reply)
    {
        var packet = new byte[NtpPacket.Size];
        request.Write(packet);
        return server.TryAnswer(peer, packet, _clock.GetUtcNow(), out reply);
    }

    private List<BootStep> Steps()
    {
        var steps = new List<BootStep>();
        while (_directory.Steps.TryRead(out var step)) steps.Add(step);
        return steps;
    }
}
