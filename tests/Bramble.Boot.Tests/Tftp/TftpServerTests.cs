using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>The server on loopback, against a client that sends exactly what each test says.</summary>
public sealed class TftpServerTests
{
    [Fact]
    public async Task A_boot_ROM_without_options_gets_its_file()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("bootcode.bin", 52_476);
        using var rom = tftp.Client();
        await rom.RequestAsync("bootcode.bin");
        Assert.Equal(file, await rom.TakeAsync(512, optionsFirst: false));
        Assert.NotEqual(tftp.Door.Port, rom.Tid!.Port);
        var step = await tftp.Directory.NextStepAsync();
        Assert.Equal((BootStage.Tftp, "bootcode.bin", StepOutcome.Ok), (step.Stage, step.What, step.Outcome));
        Assert.StartsWith("52,476 bytes in ", step.Detail, StringComparison.Ordinal);
        Assert.Equal(RecordingBootDirectory.Loopback, step.Address);
    }

    [Fact]
    public async Task Bootcode_with_tsize_alone_learns_the_size_and_keeps_512_octets()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("1045155b/start.elf", 1024);
        using var board = tftp.Client();
        await board.RequestAsync("1045155b/start.elf", new TftpOption("tsize", "0"));
        Assert.Equal([new TftpOption("tsize", "1024")], (await board.ReceiveOptionsAsync()).Options);
        await board.AckAsync(0);
        Assert.Equal(file, await board.TakeAsync(512, optionsFirst: false));
    }

    [Fact]
    public async Task A_Pi_4_probes_with_an_early_end_and_then_fetches_from_the_same_port()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("start4.elf", 100_000);
        using var board = tftp.Client();
        TftpOption[] options = [new("tsize", "0"), new("blksize", "1468")];
        await board.RequestAsync("start4.elf", options);
        await board.ReceiveOptionsAsync();
        await board.ErrorAsync(TftpErrorCode.NotDefined, "Early terminate");
        var probe = await tftp.Directory.NextStepAsync();
        Assert.Equal(StepOutcome.Probe, probe.Outcome);
        await board.RequestAsync("start4.elf", options);
        Assert.Equal(file, await board.TakeAsync(1468, optionsFirst: true));
        Assert.Equal(StepOutcome.Ok, (await tftp.Directory.NextStepAsync()).Outcome);
    }

    [Fact]
    public async Task A_missing_file_is_a_probe_and_error_1()
    {
        await using var tftp = await TftpFixture.StartAsync();
        using var board = tftp.Client();
        await board.RequestAsync("recovery.elf", new TftpOption("tsize", "0"));
        Assert.Equal(new TftpError(TftpErrorCode.FileNotFound, "file not found"), await board.ReceiveErrorAsync());
        var step = await tftp.Directory.NextStepAsync();
        Assert.Equal(("recovery.elf", StepOutcome.Probe, "the tree lacks recovery.elf"),
            (step.What, step.Outcome, step.Detail));
    }

    [Theory]
    [InlineData(BootRefusal.Denied, TftpErrorCode.AccessViolation, StepOutcome.Ignored)]
    [InlineData(BootRefusal.Failed, TftpErrorCode.NotDefined, StepOutcome.Failed)]
    public async Task A_refusal_of_the_directory_reaches_the_client_and_the_timeline(
        BootRefusal refusal, TftpErrorCode code, StepOutcome outcome)
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Directory.Files = _ => new BootFileAnswer(null, refusal, "because");
        using var board = tftp.Client();
        await board.RequestAsync("x");
        Assert.Equal(code, (await board.ReceiveErrorAsync()).Code);
        var step = await tftp.Directory.NextStepAsync();
        Assert.Equal((outcome, "because"), (step.Outcome, step.Detail));
    }

    [Fact]
    public async Task A_directory_that_throws_costs_one_request_not_the_service()
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Directory.Files = request =>
            throw (request.Path == "io" ? new IOException("disk") : new InvalidOperationException("bug"));
        using var board = tftp.Client();
        await board.RequestAsync("io");
        Assert.Equal("the file cannot be read now", (await board.ReceiveErrorAsync()).Message);
        await board.RequestAsync("bug");
        Assert.Equal("internal error", (await board.ReceiveErrorAsync()).Message);
    }

    [Theory]
    [InlineData("\0\u0002config.txt\0octet\0", TftpErrorCode.AccessViolation)]
    [InlineData("\0\u0001config.txt\0mail\0", TftpErrorCode.IllegalOperation)]
    [InlineData("\0\u0001../../etc/passwd\0octet\0", TftpErrorCode.AccessViolation)]
    [InlineData("\0\u0001..\\..\\etc\\passwd\0octet\0", TftpErrorCode.AccessViolation)]
    [InlineData("\0\u0001/\0octet\0", TftpErrorCode.AccessViolation)]
    [InlineData("\0\u0001a\u0007b\0octet\0", TftpErrorCode.AccessViolation)]
    [InlineData("\0\u0001link\0octet\0", TftpErrorCode.FileNotFound)]
    [InlineData("\0\u0001/etc/passwd\0octet\0", TftpErrorCode.FileNotFound)]
    [InlineData("\0\u0001config.txt", TftpErrorCode.IllegalOperation)]
    [InlineData("\0\u0001config.txt\0octet\0tsize", TftpErrorCode.IllegalOperation)]
    [InlineData("\0\u0001config.txt\0octet\0blksize\04\0", TftpErrorCode.OptionRefused)]
    [InlineData("\0\u0001config.txt\0octet\0windowsize\0none\0", TftpErrorCode.OptionRefused)]
    public async Task What_may_not_be_is_refused_as_the_RFC_says(string packet, TftpErrorCode code)
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Put("config.txt", 10);
        File.CreateSymbolicLink(Path.Combine(tftp.Root, "link"), "/etc/passwd");
        using var client = tftp.Client();
        await client.RawAsync(packet);
        var error = await client.ReceiveErrorAsync();
        Assert.Equal(code, error.Code);
        Assert.NotEmpty(error.Message);
    }

    [Fact]
    public async Task A_request_with_too_many_octets_is_refused_not_cut()
    {
        await using var tftp = await TftpFixture.StartAsync();
        using var client = tftp.Client();
        await client.RawAsync("\0\u0001f\0octet\0" + new string('x', 900));
        Assert.Equal(TftpErrorCode.IllegalOperation, (await client.ReceiveErrorAsync()).Code);
    }

    [Fact]
    public async Task Hostile_packets_are_survived_and_those_that_cannot_be_answered_are_not()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("ok", 3000);
        using var hostile = tftp.Client();
        string[] silent = ["", "\0", "\0\0", "\0\u0003\0\u0001data", "\0\u0004\0\u0001", "\0\u0005\0\u0000x\0",
            "\0\u0006a\0b\0", "\u00ff\u00ff\u00ff\u00ff", "\0\u0009abc"];
        foreach (var packet in silent) await hostile.RawAsync(packet);
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var noisy = tftp.Client();
        var golden = "\0\u0001ok\0octet\0tsize\00\0blksize\01468\0"u8.ToArray();
        for (var round = 0; round < 2000; round++)
        {
            var packet = golden.ToArray();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            await noisy.RawAsync(packet[..random.Next(packet.Length + 1)]);
        }
        using var good = tftp.Client();
        await good.RequestAsync("ok");
        Assert.Equal(file, await good.TakeAsync(512, optionsFirst: false));
        // The good client came after all of them on the same socket, so they have been dealt with.
        Assert.False(hostile.HasMail);
    }

    [Fact]
    public async Task A_stranger_s_packet_gets_error_5_and_disturbs_nothing()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("f", 1500);
        using var board = tftp.Client();
        await board.RequestAsync("f");
        var first = await board.ReceiveBlockAsync(1);
        using var stranger = new TftpPeer(board.Tid!);
        await stranger.RawAsync("\0\u0004\0\u0001");
        Assert.Equal(TftpErrorCode.UnknownTransfer, (await stranger.ReceiveErrorAsync()).Code);
        await stranger.RawAsync("\0\u0005\0\u0000die\0");
        await board.ToTidAsync([0, 3, 0, 1, 9]);
        await board.ToTidAsync([0]);
        await board.AckAsync(1);
        var second = await board.ReceiveBlockAsync(2);
        await board.AckAsync(2);
        byte[] whole = [.. first, .. second, .. await board.ReceiveBlockAsync(3)];
        Assert.Equal(file, whole);
        Assert.False(stranger.HasMail);
    }

    [Fact]
    public async Task A_late_ACK_of_a_finished_transfer_is_swallowed()
    {
        await using var tftp = await TftpFixture.StartAsync(options => options with { Lanes = 1 });
        var file = tftp.Put("f", 600);
        using var rom = tftp.Client();
        await rom.RequestAsync("f");
        Assert.Equal(file, await rom.TakeAsync(512, optionsFirst: false));
        await tftp.Directory.NextStepAsync();
        await rom.AckAsync(2);
        // With one lane the answer to a new request comes from the socket that an ERROR 5 would have come from first.
        await rom.RequestAsync("f");
        Assert.Equal(file, await rom.TakeAsync(512, optionsFirst: false));
    }

    [Fact]
    public async Task A_repeated_request_does_not_begin_a_second_transfer()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("f", 100);
        using var board = tftp.Client();
        for (var i = 0; i < 5; i++) await board.RequestAsync("f", new TftpOption("tsize", "0"));
        await board.ReceiveOptionsAsync();
        var tid = board.Tid;
        // Requests are taken in order: once the next one is answered, the repeated ones have been dealt with.
        using var other = tftp.Client();
        await other.RequestAsync("missing");
        await other.ReceiveErrorAsync();
        await tftp.Directory.NextStepAsync();
        await board.AckAsync(0);
        Assert.Equal(file, await board.ReceiveBlockAsync(1));
        Assert.Equal(tid, board.Tid);
        await board.AckAsync(1);
        Assert.Equal(StepOutcome.Ok, (await tftp.Directory.NextStepAsync()).Outcome);
        Assert.False(tftp.Directory.Steps.TryPeek(out _));
        Assert.False(board.HasMail);
    }

    [Fact]
    public async Task The_same_file_asked_for_again_at_once_from_the_same_port_comes_again()
    {
        // The last ACK and the next request go to different sockets; whichever thread is faster, both count.
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("config.txt", 1000);
        using var board = tftp.Client();
        for (var i = 0; i < 300; i++)
        {
            await board.RequestAsync("config.txt");
            Assert.Equal(file, await board.TakeAsync(512, optionsFirst: false));
        }
    }

    [Fact]
    public async Task Another_request_from_the_same_port_takes_the_place_of_the_first()
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Put("a", 5000);
        var file = tftp.Put("b", 700);
        using var rom = tftp.Client();
        await rom.RequestAsync("a");
        await rom.ReceiveBlockAsync(1);
        await rom.RequestAsync("b");
        Assert.Equal(file, await rom.TakeAsync(512, optionsFirst: false));
        var step = await tftp.Directory.NextStepAsync();
        Assert.Equal(("a", StepOutcome.Probe), (step.What, step.Outcome));
        step = await tftp.Directory.NextStepAsync();
        Assert.Equal(("b", StepOutcome.Ok), (step.What, step.Outcome));
    }

    [Theory]
    [InlineData(100, 3, "of this client")]
    [InlineData(3, 100, "too many transfers (3)")]
    public async Task Above_a_limit_the_client_is_told_and_below_it_served_again(int total, int perClient, string text)
    {
        await using var tftp = await TftpFixture.StartAsync(
            options => options with { MaxTransfers = total, MaxTransfersPerClient = perClient });
        tftp.Put("f", 100);
        var boards = Enumerable.Range(0, 3).Select(_ => tftp.Client()).ToList();
        foreach (var board in boards)
        {
            await board.RequestAsync("f");
            await board.ReceiveBlockAsync(1);
        }
        using var late = tftp.Client();
        await late.RequestAsync("f");
        var error = await late.ReceiveErrorAsync();
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Ignored, (await tftp.Directory.NextStepAsync()).Outcome);
        await boards[0].AckAsync(1);
        Assert.Equal(StepOutcome.Ok, (await tftp.Directory.NextStepAsync()).Outcome);
        await late.RequestAsync("f");
        await late.ReceiveBlockAsync(1);
        foreach (var board in boards) board.Dispose();
    }

    [Fact]
    public async Task A_silent_client_is_given_up_and_its_place_is_free_again()
    {
        await using var tftp = await TftpFixture.StartAsync(options => options with
        {
            Timing = new()
            {
                Initial = TimeSpan.FromMilliseconds(20),
                Min = TimeSpan.FromMilliseconds(20),
                MaxRetries = 2,
            },
            MaxTransfers = 1,
        });
        tftp.Put("f", 1000);
        using var board = tftp.Client();
        await board.RequestAsync("f");
        for (var i = 0; i < 3; i++) await board.ReceiveBlockAsync(1);
        Assert.Equal("timed out", (await board.ReceiveErrorAsync()).Message);
        var step = await tftp.Directory.NextStepAsync();
        Assert.Equal((StepOutcome.Failed, "client fell silent at block 1 of 2 after 2 retries"),
            (step.Outcome, step.Detail));
        using var next = tftp.Client();
        await next.RequestAsync("f");
        await next.ReceiveBlockAsync(1);
    }

    [Fact]
    public async Task A_medium_that_fails_midway_ends_the_transfer_with_a_reason()
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Put("f", 5000);
        using var board = tftp.Client();
        await board.RequestAsync("f");
        await board.ReceiveBlockAsync(1);
        await using (var file = File.OpenWrite(Path.Combine(tftp.Root, "f"))) file.SetLength(600);
        await board.AckAsync(1);
        Assert.Contains("block 2 of 10", (await board.ReceiveErrorAsync()).Message, StringComparison.Ordinal);
        Assert.Equal(StepOutcome.Failed, (await tftp.Directory.NextStepAsync()).Outcome);
    }

    [Fact]
    public async Task Netascii_turns_line_ends_for_a_person_s_client()
    {
        await using var tftp = await TftpFixture.StartAsync();
        await File.WriteAllTextAsync(
            Path.Combine(tftp.Root, "t"), "a\nb\rc", TestContext.Current.CancellationToken);
        using var client = tftp.Client();
        await client.RawAsync("\0\u0001t\0NetAscii\0");
        Assert.Equal("a\r\nb\r\0c"u8.ToArray(), await client.TakeAsync(512, optionsFirst: false));
    }

    [Fact]
    public async Task Many_boards_fetch_at_once()
    {
        await using var tftp = await TftpFixture.StartAsync(options => options with { MaxTransfersPerClient = 1000 });
        var file = tftp.Put("kernel8.img", 60_000);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var board = tftp.Client();
            await board.RequestAsync("kernel8.img", new("tsize", "0"), new("blksize", "1468"));
            Assert.Equal(file, await board.TakeAsync(1468, optionsFirst: true));
        }));
        for (var i = 0; i < 200; i++) Assert.Equal(StepOutcome.Ok, (await tftp.Directory.NextStepAsync()).Outcome);
    }

    [Fact]
    public async Task A_stop_tells_the_clients()
    {
        var tftp = await TftpFixture.StartAsync();
        tftp.Put("f", 5000);
        using var board = tftp.Client();
        await board.RequestAsync("f");
        await board.ReceiveBlockAsync(1);
        await tftp.DisposeAsync();
        Assert.Equal("the server stops", (await board.ReceiveErrorAsync()).Message);
        Assert.Equal(StepOutcome.Failed, (await tftp.Directory.NextStepAsync()).Outcome);
    }
}
