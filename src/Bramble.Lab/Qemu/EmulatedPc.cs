using Bramble.Lab.Boards;

namespace Bramble.Lab.Qemu;

/// <summary>
/// A PC in QEMU with its real firmware: nothing of its boot is played. A restart ends the emulator and starts another,
/// with the same disk and NVRAM.
/// </summary>
/// <param name="directory">The machine's own: vars.fd, console.log.</param>
/// <param name="disk">Its disk's image.</param>
/// <param name="console">Told each line of the console.</param>
internal sealed class EmulatedPc(
    BoardSpec spec, PcMachine machine, string directory, string disk, EmulatorTap tap, Action<string> console)
    : IBoardSystem
{
    private string Variables => Path.Combine(directory, "vars.fd");

    public async Task RunAsync(BoardRun run)
    {
        // Its address is its own affair; the lab answers nothing for it.
        run.Link.Address = default;
        await tap.UpAsync(run.Cancellation);
        if (machine.Variables is { } empty && !File.Exists(Variables)) File.Copy(empty, Variables);
        await run.EnterAsync(BoardStage.Emulator, $"firmware ({machine.Word})");
        var end = await Emulator.RunAsync(
            ["netns", "exec", tap.Namespace, "taskset", "--cpu-list", Emulator.Cpu(spec.Number),
                .. machine.Arguments(spec.Mac.ToString(), tap.Name, disk, spec.DiskSerial, Variables)],
            Path.Combine(directory, "console.log"), line =>
            {
                console(line);
                EmulatedConsole.Watch(run, line);
            }, endsAtRestart: true, run.Cancellation);
        if (end == EmulatorEnd.Restart) return;
        await run.StayAsync(BoardStage.Stuck, end == EmulatorEnd.Halt
            ? "the system has halted; only a power cycle starts it again"
            : $"the emulator has ended: see {directory}/console.log");
    }

    public void Dispose() => tap.Dispose();
}
