using System.Text.RegularExpressions;
using Bramble.Lab.Boards;
using Bramble.Lab.Rom;

namespace Bramble.Lab.Qemu;

/// <summary>
/// A real kernel on an emulated Raspberry Pi 3B. Our boot ROM has fetched its files; QEMU, which has no boot ROM for a
/// Pi, is given them. A restart ends the emulator and goes through the boot ROM again, as real power does.
/// </summary>
/// <param name="directory">The board's own: fetched files, console.log.</param>
/// <param name="card">The SD card's image; its size is a power of two, or QEMU refuses it.</param>
/// <param name="console">Told each line of the console.</param>
internal sealed partial class EmulatedSystem(
    BoardSpec spec, string directory, string card, EmulatorTap tap, Action<string> console) : IBoardSystem
{
    /// <summary>Seconds that pass on the board in one of the world's.</summary>
    private const int ClockRate = 4;

    private string FilesDirectory => Path.Combine(directory, "files");

    public async Task RunAsync(BoardRun run)
    {
        var files = await BootRom.RunAsync(run, Keep);
        // From here on the address belongs to the kernel in the emulator.
        run.Link.Address = default;
        await tap.UpAsync(run.Cancellation);
        await run.EnterAsync(BoardStage.Emulator, files.Kernel);
        var end = await Emulator.RunAsync(
            Arguments(files), Path.Combine(directory, "console.log"), line =>
            {
                console(line);
                EmulatedConsole.Watch(run, line);
            }, endsAtRestart: false, run.Cancellation);
        switch (end)
        {
            case EmulatorEnd.Restart:
                return;
            case EmulatorEnd.Halt:
                await run.StayAsync(BoardStage.Stuck, "the system has halted; only a power cycle starts it again");
                break;
            default:
                await run.StayAsync(BoardStage.Stuck, $"the emulator has ended: see {directory}/console.log");
                break;
        }
    }

    public void Dispose() => tap.Dispose();

    private FileStream? Keep(string path)
    {
        // The path is ours and the manager's, but a name from config.txt must not lead out of the directory.
        var full = Path.GetFullPath(Path.Combine(FilesDirectory, path));
        if (!full.StartsWith(FilesDirectory + "/", StringComparison.Ordinal)) return null;
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return new FileStream(full, FileMode.Create, FileAccess.Write, FileShare.Read);
    }

    private IEnumerable<string> Arguments(BootFiles files) =>
    [
        "netns", "exec", tap.Namespace,
        // The emulator's threads hand one lock to and fro: on one CPU that takes a fraction of the time.
        "taskset", "--cpu-list", Emulator.Cpu(spec.Number),
        // The emulated USB controller moves a packet at each tick of its clock, so that goes faster than the world's.
        "env", "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1", $"FAKETIME=+0 x{ClockRate}",
        // KVM can hang on virtual machines; TCG always works.
        "qemu-system-aarch64", "-M", "raspi3b", "-accel", "tcg,thread=single", "-m", "1G", "-display", "none",
        "-monitor", "none",
        "-serial", "stdio",
        "-kernel", Fetched(files.Kernel), "-dtb", Fetched(files.DeviceTree),
        .. files.Initramfs is { } initramfs ? (string[])["-initrd", Fetched(initramfs)] : [],
        "-append", ConsoleWord().Replace(files.CommandLine, "") + " console=ttyAMA0,115200",
        "-drive", $"file={card},if=sd,format=raw,cache=unsafe",
        "-usb", "-netdev", $"tap,id=n0,ifname={tap.Name},script=no,downscript=no",
        "-device", $"usb-net,netdev=n0,mac={spec.Mac}",
    ];

    /// <summary>
    /// A 3B's consoles are a screen and the mini UART; the emulator's output is the other UART, a PL011.
    /// </summary>
    [GeneratedRegex(@"console=\S*\s*")]
    private static partial Regex ConsoleWord();

    private string Fetched(string path) => Path.Combine(FilesDirectory, path);
}
