using System.CommandLine;
using System.Globalization;
using System.Numerics;
using Bramble.Lab.Boards;
using Bramble.Lab.Qemu;
using Bramble.Wire;

namespace Bramble.Lab.Commands;

/// <summary><c>bramble-lab run</c>: the command line of a rack.</summary>
internal static class RunCommand
{
    private static readonly Option<int> Boards = new("--boards")
    {
        Description = "Simulated boards",
        DefaultValueFactory = _ => 8,
    };

    private static readonly Option<string> Models = new("--models")
    {
        Description = $"{BoardTraits.Words}, separated by commas; the boards take them in turn",
        DefaultValueFactory = _ => "3b,3b+,4,4-old,5",
    };

    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The same seed gives the same boards",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<long> DiskSize = new("--disk-size")
    {
        Description = "Octets of each board's card",
        DefaultValueFactory = _ => BoardSpec.DefaultDiskSize,
    };

    private static readonly Option<string?> DiskDirectory = new("--disk-dir")
    {
        Description = "Keep the cards as sparse files here; without it the lab remembers digests only",
    };

    private static readonly Option<double> Speed = new("--speed")
    {
        Description = "How many times as fast as real ROM, kernel and system starts are; time-outs are always real",
        DefaultValueFactory = _ => BoardPace.Default.Speed,
    };

    private static readonly Option<double> DiskRate = new("--disk-rate")
    {
        Description = "Megabytes that a card takes in a second; 0 for no bound",
    };

    private static readonly Option<double> Pi3Window = new("--pi3-window")
    {
        Description = "A 3B whose DHCP and TFTP are both answered within this many seconds locks up",
        DefaultValueFactory = _ => BoardPace.Default.Pi3Window.TotalSeconds,
    };

    private static readonly Option<string?> SwitchAddress = new("--switch-address")
    {
        Description = "Address of the virtual PoE switch, such as 10.77.255.254; without it a plain power strip",
    };

    private static readonly Option<int> SwitchPort = new("--switch-port")
    {
        Description = "UDP port of the switch's SNMP agent",
        DefaultValueFactory = _ => 161,
    };

    private static readonly Option<string> SwitchCommunity = new("--switch-community")
    {
        Description = "SNMP community that may switch ports; public may read",
        DefaultValueFactory = _ => "private",
    };

    private static readonly Option<int?> Ports = new("--ports") { Description = "Ports of the switch" };

    private static readonly Option<string> PowerOn = new("--power-on")
    {
        Description = "all or none",
        DefaultValueFactory = _ => "all",
    };

    private static readonly Option<double> Stagger = new("--stagger")
    {
        Description = "Seconds from one board's power-on to the next",
    };

    private static readonly Option<double> Loss = new("--loss") { Description = "Percent of packets lost" };

    private static readonly Option<string[]> Hang = new("--hang")
    {
        Description = "BOARD@STAGE: hangs there once; with ! at the end each time",
    };

    private static readonly Option<string[]> Hold = new("--hold")
    {
        Description = "BOARD@STAGE: does not leave that stage before 'ctl release'",
    };

    private static readonly Option<int[]> DeadPort = new("--dead-port") { Description = "A port without power" };

    private static readonly Option<string[]> DiskFault = new("--disk-fault")
    {
        Description = "BOARD@KIND: small, full, read-only, bad-once, bad, missing",
    };

    private static readonly Option<string[]> FullDisk = new("--full-disk")
    {
        Description = "The same as --disk-fault BOARD@full",
    };

    private static readonly Option<string?> SameSerial = new("--same-serial")
    {
        Description = "A,B: board number B gets the serial number of A",
    };

    private static readonly Option<string?> Control = new("--control") { Description = "Path of the control socket" };

    private static readonly Option<bool> UntilRunning = new("--until-running")
    {
        Description = "End as soon as all boards run; the exit status is 1 if they do not",
    };

    private static readonly Option<double?> Limit = new("--limit") { Description = "Seconds after which the lab ends" };

    private static readonly Option<bool> Quiet = new("--quiet") { Description = "Print the summary only" };

    private static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Print each file and each percentage, not only each stage",
    };

    private static readonly Option<int> Qemu = new("--qemu") { Description = "Emulated Raspberry Pi 3Bs" };

    private static readonly Option<string[]> QemuPc = new("--qemu-pc")
    {
        Description = $"Emulated PCs with their real firmware: {PcMachine.Words}, separated by commas",
    };

    private static readonly Option<string> QemuDirectory = new("--qemu-dir")
    {
        Description = "Where emulated boards keep disks, fetched files, NVRAM and consoles",
        DefaultValueFactory = _ => "/var/tmp/bramble-lab",
    };

    private static readonly Option<bool> ShowConsole = new("--show-console")
    {
        Description = "Print the emulated boards' consoles, each line with the board's name",
    };

    public static Command Create()
    {
        var command = new Command("run", "Run boards; start it in the lab's namespace: ip netns exec NAME-lab")
        {
            Boards, Models, Seed, DiskSize, DiskDirectory, Speed, DiskRate, Pi3Window, SwitchAddress, SwitchPort,
            SwitchCommunity, Ports, PowerOn, Stagger, Loss, Hang, Hold,
            DeadPort, DiskFault, FullDisk, SameSerial, Control, UntilRunning, Limit, Quiet, Verbose,
            Qemu, QemuPc, QemuDirectory, ShowConsole, NetCommand.Name,
        };
        PowerOn.AcceptOnlyFromAmong("all", "none");
        command.SetAction((parsed, cancellation) => Failures.ShownAsync(
            () => new LabRun(Read(parsed), TimeProvider.System).RunAsync(cancellation)));
        return command;
    }

    private static RunOptions Read(ParseResult parsed)
    {
        var seed = parsed.GetValue(Seed);
        var boards = ReadBoards(parsed, seed);
        var switchAddress = parsed.GetValue(SwitchAddress);
        return new RunOptions
        {
            Boards = boards,
            Seed = seed,
            Pace = new BoardPace(Math.Max(parsed.GetValue(Speed), 0.01),
                TimeSpan.FromSeconds(parsed.GetValue(Pi3Window)), parsed.GetValue(DiskRate) * 1_000_000),
            Switch = switchAddress is null ? null
                : (IPv4Address.Parse(switchAddress), parsed.GetValue(SwitchPort)),
            SwitchCommunity = parsed.GetValue(SwitchCommunity)!,
            Ports = Math.Max(parsed.GetValue(Ports) ?? 0, boards.Count),
            PowerOn = parsed.GetValue(PowerOn) == "all",
            Stagger = TimeSpan.FromSeconds(parsed.GetValue(Stagger)),
            Loss = parsed.GetValue(Loss) is >= 0 and <= 90 and var percent ? percent / 100
                : throw new ArgumentException("--loss is a percentage from 0 to 90"),
            DeadPorts = parsed.GetValue(DeadPort) ?? [],
            Hangs = [.. Pairs(parsed.GetValue(Hang)).Select(pair => (pair.Board,
                BoardFaults.TryParseHang(pair.Word, out var hang) ? hang
                    : throw new ArgumentException($"--hang: '{pair.Word}' is no stage such as tftp")))],
            Holds = [.. Pairs(parsed.GetValue(Hold)).Select(pair => (pair.Board,
                BoardFaults.TryParseStage(pair.Word, out var stage) ? stage
                    : throw new ArgumentException($"--hold: '{pair.Word}' is no stage such as tftp")))],
            DiskFaults =
            [
                .. Pairs(parsed.GetValue(DiskFault)).Select(pair => (pair.Board,
                    BoardFaults.TryParseDisk(pair.Word, out var fault) ? fault
                        : throw new ArgumentException($"--disk-fault: '{pair.Word}' is no kind such as full"))),
                .. (parsed.GetValue(FullDisk) ?? []).Select(board => (board, Lab.Boards.DiskFault.Full)),
            ],
            DiskDirectory = parsed.GetValue(DiskDirectory),
            Control = parsed.GetValue(Control),
            UntilRunning = parsed.GetValue(UntilRunning),
            Limit = parsed.GetValue(Limit) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Quiet = parsed.GetValue(Quiet),
            Verbose = parsed.GetValue(Verbose),
            QemuDirectory = parsed.GetValue(QemuDirectory)!,
            ShowConsole = parsed.GetValue(ShowConsole),
            Name = parsed.GetValue(NetCommand.Name)!,
        };
    }

    private static List<BoardSpec> ReadBoards(ParseResult parsed, int seed)
    {
        var models = Words(parsed.GetValue(Models)!)
            .Select(word => BoardTraits.TryParse(word, out var model) ? model
                : throw new ArgumentException($"--models: '{word}' is none of {BoardTraits.Words}"))
            .ToList();
        if (models.Count == 0) throw new ArgumentException("--models names no model");
        var size = parsed.GetValue(DiskSize);
        // Emulated boards come first: they are few, and a person wants to find them.
        var boards = ReadEmulated(parsed, seed, size);
        boards.AddRange(BoardSpec.Rack(parsed.GetValue(Boards), models, seed, boards.Count + 1)
            .Select(board => board with { DiskSize = size }));
        if (parsed.GetValue(SameSerial) is { } pair)
        {
            var numbers = pair.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            if (numbers.Length != 2 || numbers.Any(n => n < 1 || n > boards.Count))
                throw new ArgumentException("--same-serial takes two board numbers: A,B");
            boards[numbers[1] - 1] = boards[numbers[1] - 1] with { Serial = boards[numbers[0] - 1].Serial };
        }
        return boards;
    }

    private static List<BoardSpec> ReadEmulated(ParseResult parsed, int seed, long size)
    {
        var pis = BoardSpec.Rack(parsed.GetValue(Qemu), [BoardModel.Pi3B], seed + 1_000_000).Select(board => board with
        {
            Emulated = true,
            Name = $"qemu-{board.Number:000}",
            // QEMU takes no SD card whose size is not a power of two.
            DiskSize = (long)BitOperations.RoundUpToPowerOf2((ulong)size),
        }).ToList();
        var firmware = (parsed.GetValue(QemuPc) ?? []).SelectMany(Words).Select(word =>
            PcMachine.TryParse(word, out var known) ? known
                : throw new ArgumentException($"--qemu-pc: '{word}' is none of {PcMachine.Words}")).ToList();
        if (firmware.Count == 0) return pis;
        var models = firmware.Select(kind => PcMachine.All[kind].Model).ToList();
        var rack = BoardSpec.Rack(firmware.Count, models, seed + 2_000_000, pis.Count + 1);
        var pcs = rack.Select((board, i) => board with
        {
            Emulated = true,
            Firmware = firmware[i],
            Name = $"{PcMachine.All[firmware[i]].Word}-{board.Number:000}",
            DiskSize = size,
            DiskName = "vda",
            DiskBus = "virtio",
        });
        return [.. pis, .. pcs];
    }

    private static string[] Words(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IEnumerable<(string Board, string Word)> Pairs(string[]? texts) => (texts ?? []).Select(text =>
        text.Split('@') is [var board, var word] && word.Length > 0 ? (board, word)
            : throw new ArgumentException($"'{text}' is not BOARD@WORD"));
}
