using Bramble.Boot.Tftp;
using Bramble.Wire;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>The transfer step by step. One block has 512 octets unless a test says otherwise.</summary>
public sealed class TftpTransferTests
{
    private TftpTransfer _transfer;
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    [Fact]
    public void Without_options_the_first_answer_is_block_1()
    {
        Begin(length: 1000);
        Assert.Equal(Blocks(1, 1), Step(TftpEvent.Start));
        Assert.Equal(Blocks(2, 1), Step(TftpEvent.Ack(1)));
        AssertEnd(StepOutcome.Ok, "", Step(TftpEvent.Ack(2)));
    }

    [Fact]
    public void With_options_the_first_answer_is_an_OACK_and_its_ACK_is_0()
    {
        Begin(length: 1000, new("blksize", "1000"), new("tsize", "0"));
        Assert.Equal(TftpAction.SendOptionAck, Step(TftpEvent.Start));
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Ack(1)));
        Assert.Equal(Blocks(1, 1), Step(TftpEvent.Ack(0)));
        Assert.Equal(Blocks(2, 1), Step(TftpEvent.Ack(1)));
        AssertEnd(StepOutcome.Ok, "", Step(TftpEvent.Ack(2)));
    }

    [Fact]
    public void An_ended_transfer_does_nothing_more()
    {
        Begin(length: 0);
        Step(TftpEvent.Start);
        AssertEnd(StepOutcome.Ok, "", Step(TftpEvent.Ack(1)));
        foreach (var late in new[] { TftpEvent.Ack(1), TftpEvent.Tick, TftpEvent.Abort("x"), TftpEvent.Repeated })
            Assert.Equal(TftpAction.Nothing, Step(late));
    }

    [Theory]
    [InlineData((ushort)0)]
    [InlineData((ushort)1)]
    [InlineData((ushort)3)]
    [InlineData((ushort)5)]
    [InlineData((ushort)65535)]
    public void An_ACK_of_anything_but_the_block_in_flight_sends_nothing(ushort block)
    {
        Begin(length: 100_000);
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(1));
        Step(TftpEvent.Ack(2));
        Step(TftpEvent.Ack(3));
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Ack(block)));
        Assert.Equal(4, _transfer.Sent);
    }

    [Fact]
    public void Block_numbers_go_from_65535_to_0_and_on()
    {
        Begin(length: 8 * 200_000, new TftpOption("blksize", "8"));
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(0));
        for (var block = 1; block <= 200_000; block++)
            Assert.Equal(Blocks(block + 1, 1), Step(TftpEvent.Ack((ushort)block)));
        AssertEnd(StepOutcome.Ok, "", Step(TftpEvent.Ack(unchecked((ushort)200_001))));
    }

    [Fact]
    public void A_window_rolls_over_too()
    {
        Begin(length: 8 * 140_000, new("blksize", "8"), new("windowsize", "64"));
        Step(TftpEvent.Start);
        var action = Step(TftpEvent.Ack(0));
        var received = 0L;
        while (action.Kind == TftpActionKind.SendBlocks)
        {
            Assert.Equal(received + 1, action.First);
            received += action.Count;
            action = Step(TftpEvent.Ack((ushort)received));
        }
        Assert.Equal(140_001, received);
        AssertEnd(StepOutcome.Ok, "", action);
    }

    [Fact]
    public void An_ACK_inside_the_window_goes_back_to_the_block_that_was_missed()
    {
        Begin(length: 100_000, new TftpOption("windowsize", "4"));
        Step(TftpEvent.Start);
        Assert.Equal(Blocks(1, 4), Step(TftpEvent.Ack(0), after: 0.010));
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Ack(2), after: 0.010));
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Tick, after: 0.009));
        Assert.Equal(Blocks(3, 4), Step(TftpEvent.Tick, after: 0.001));
        // The same gap told twice is a repeated ACK.
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Ack(2)));
        Assert.Equal(Blocks(7, 4), Step(TftpEvent.Ack(6)));
        Assert.Equal(1, _transfer.Retransmissions);
    }

    [Fact]
    public void An_ACK_inside_the_window_that_others_follow_was_no_gap()
    {
        Begin(length: 100_000, new TftpOption("windowsize", "4"));
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(0), after: 0.010);
        for (ushort block = 1; block < 4; block++)
            Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Ack(block), after: 0.001));
        Assert.Equal(Blocks(5, 4), Step(TftpEvent.Ack(4), after: 0.001));
        Assert.Equal(0, _transfer.Retransmissions);
    }

    [Fact]
    public void The_last_window_is_as_short_as_the_file()
    {
        Begin(length: 512 * 5, new TftpOption("windowsize", "4"));
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(0));
        Assert.Equal(Blocks(5, 2), Step(TftpEvent.Ack(4)));
        AssertEnd(StepOutcome.Ok, "", Step(TftpEvent.Ack(6)));
    }

    [Fact]
    public void Silence_is_answered_with_back_off_and_ends_after_six_retries()
    {
        Begin(length: 512 * 4000);
        Step(TftpEvent.Start);
        for (ushort block = 1; block < 1234; block++) Step(TftpEvent.Ack(block), after: 0.01);
        var waits = new List<double>();
        for (var retry = 0; retry < 6; retry++)
        {
            waits.Add(Math.Round((_transfer.Deadline - _now).TotalSeconds, 3));
            _now = _transfer.Deadline;
            Assert.Equal(Blocks(1234, 1), Step(TftpEvent.Tick));
        }
        Assert.Equal([0.2, 0.4, 0.8, 1.6, 3.2, 6.4], waits);
        _now = _transfer.Deadline;
        var end = Step(TftpEvent.Tick).End!;
        Assert.Equal("client fell silent at block 1234 of 4001 after 6 retries", end.Reason);
        Assert.Equal(StepOutcome.Failed, end.Outcome);
        Assert.NotNull(end.Notice);
    }

    [Fact]
    public void A_tick_before_the_deadline_does_nothing()
    {
        Begin(length: 1000);
        Step(TftpEvent.Start);
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Tick, after: 0.999));
        Assert.Equal(Blocks(1, 1), Step(TftpEvent.Tick, after: 0.001));
    }

    [Fact]
    public void The_wait_follows_the_round_trips_but_not_those_of_repeated_packets()
    {
        Begin(length: 512 * 1000);
        Step(TftpEvent.Start);
        for (ushort block = 1; block < 50; block++) Step(TftpEvent.Ack(block), after: 0.3);
        var wait = _transfer.Deadline - _now;
        Assert.InRange(wait.TotalSeconds, 0.3, 0.35);
        // Lost, sent again after the wait, and confirmed at once: was that the ACK of the first or of the second?
        Step(TftpEvent.Tick, after: wait.TotalSeconds);
        Step(TftpEvent.Ack(50), after: 0.001);
        Assert.Equal(wait * 2, _transfer.Deadline - _now);
        // The next clean round trip counts again.
        Step(TftpEvent.Ack(51), after: 0.3);
        Assert.InRange((_transfer.Deadline - _now).TotalSeconds, 0.3, 0.35);
    }

    [Fact]
    public void The_client_s_own_timeout_is_kept_as_it_is()
    {
        Begin(length: 5000, new TftpOption("timeout", "3"));
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(0), after: 0.01);
        for (var retry = 0; retry < 3; retry++)
        {
            Assert.Equal(TimeSpan.FromSeconds(3), _transfer.Deadline - _now);
            Assert.Equal(Blocks(1, 1), Step(TftpEvent.Tick, after: 3));
        }
    }

    [Fact]
    public void A_lost_OACK_is_sent_again()
    {
        Begin(length: 5000, new TftpOption("tsize", "0"));
        Step(TftpEvent.Start);
        Assert.Equal(TftpAction.SendOptionAck, Step(TftpEvent.Tick, after: 1));
        Assert.Equal(TftpAction.SendOptionAck, Step(TftpEvent.Tick, after: 2));
        Assert.Equal(Blocks(1, 1), Step(TftpEvent.Ack(0)));
    }

    [Fact]
    public void An_early_end_is_a_probe_after_the_OACK_and_after_the_first_block()
    {
        var early = TftpEvent.ClientError(new TftpError(TftpErrorCode.NotDefined, "Early terminate"));
        Begin(length: 5000, new TftpOption("tsize", "0"));
        Step(TftpEvent.Start);
        AssertEnd(StepOutcome.Probe, "client only looked: Early terminate", Step(early));
        Begin(length: 5000);
        Step(TftpEvent.Start);
        AssertEnd(StepOutcome.Probe, "client only looked: Early terminate", Step(early));
        Begin(length: 5000, new TftpOption("blksize", "1024"));
        Step(TftpEvent.Start);
        var refused = TftpEvent.ClientError(new TftpError(TftpErrorCode.OptionRefused, ""));
        AssertEnd(StepOutcome.Probe, "client only looked: OptionRefused", Step(refused));
    }

    [Fact]
    public void A_client_that_gives_up_midway_has_failed()
    {
        Begin(length: 5000);
        Step(TftpEvent.Start);
        for (ushort block = 1; block < 5; block++) Step(TftpEvent.Ack(block));
        AssertEnd(StepOutcome.Failed, "client gave up at block 5 of 10: no memory",
            Step(TftpEvent.ClientError(new TftpError(TftpErrorCode.DiskFull, "no memory"))));
    }

    [Fact]
    public void A_client_that_no_longer_knows_us_at_the_last_block_has_the_file()
    {
        Begin(length: 600);
        Step(TftpEvent.Start);
        Step(TftpEvent.Ack(1));
        AssertEnd(StepOutcome.Ok, "the last ACK was lost",
            Step(TftpEvent.ClientError(new TftpError(TftpErrorCode.UnknownTransfer, ""))));
    }

    [Fact]
    public void A_repeated_request_repeats_the_first_packet_only_while_nothing_is_confirmed()
    {
        Begin(length: 5000, new TftpOption("tsize", "0"));
        Step(TftpEvent.Start);
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Repeated, after: 0.1));
        Assert.Equal(TftpAction.SendOptionAck, Step(TftpEvent.Repeated, after: 0.2));
        Step(TftpEvent.Ack(0));
        Assert.Equal(Blocks(1, 1), Step(TftpEvent.Repeated, after: 0.2));
        Step(TftpEvent.Ack(1));
        Assert.Equal(TftpAction.Nothing, Step(TftpEvent.Repeated, after: 0.5));
        AssertEnd(StepOutcome.Failed, "client began another transfer at block 2 of 10",
            Step(TftpEvent.Repeated, after: 0.5));
    }

    [Fact]
    public void A_medium_that_fails_ends_the_transfer_and_the_client_is_told()
    {
        Begin(length: 5000);
        Step(TftpEvent.Start);
        var end = Step(TftpEvent.Abort("reading failed")).End!;
        Assert.Equal(new TftpEnd(StepOutcome.Failed, "reading failed", new TftpError(0, "reading failed")), end);
    }

    private static TftpAction Blocks(long first, int count) => new(TftpActionKind.SendBlocks, first, count);

    private static void AssertEnd(StepOutcome outcome, string reason, TftpAction action)
    {
        Assert.Equal(TftpActionKind.End, action.Kind);
        Assert.Equal((outcome, reason), (action.End!.Outcome, action.End.Reason));
    }

    private void Begin(long length, params TftpOption[] options)
    {
        var limits = new TftpOptions { Address = IPv4Address.Any };
        Assert.True(TftpTerms.TryAgree(options, length, limits, out var terms, out _));
        _transfer = TftpTransfer.Create(terms);
    }

    private TftpAction Step(TftpEvent happened, double after = 0)
    {
        _now += TimeSpan.FromSeconds(after);
        (_transfer, var action) = _transfer.Step(happened, _now);
        return action;
    }
}
