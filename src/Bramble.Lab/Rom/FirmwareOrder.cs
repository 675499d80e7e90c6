using Bramble.Lab.Boards;
using Bramble.Lab.Tftp;

namespace Bramble.Lab.Rom;

/// <summary>
/// The files that each model's firmware asks for, in its order, as traces from the field show it. What looks like
/// waste (config.txt six times) is what real boards do.
/// </summary>
/// <param name="keep">Where the content of a file goes that is needed later; null drops it.</param>
internal sealed class FirmwareOrder(BoardSpec board, IRomFiles files, Func<string, Stream?> keep)
{
    private readonly BoardTraits _traits = board.Traits;

    /// <exception cref="BootStoppedException">A file is missing without which the board cannot go on.</exception>
    public Task<BootFiles> RunAsync() => board.Model switch
    {
        BoardModel.Pi3B or BoardModel.Pi3BPlus => Pi3Async(),
        BoardModel.Pi4 or BoardModel.Pi4Old => Pi4Async(),
        _ => Pi5Async(),
    };

    private RomShelf Shelf(string prefix, TftpHabits habits) => new(files, habits, prefix, keep);

    private async Task<BootFiles> Pi3Async()
    {
        // The ROM itself knows no options; bootcode.bin asks for the size.
        var rom = Shelf("", new TftpHabits(TransferSize: false, BlockSize: null, Rollover: true));
        await rom.LoadAsync("bootcode.bin");
        await rom.TryLoadAsync("bootsig.bin");

        var habits = new TftpHabits(TransferSize: true, BlockSize: null, Rollover: true);
        var own = Shelf(board.Prefix + "/", habits);
        var shelf = await own.ProbeAsync("start.elf") ? own : Shelf("", habits);
        await shelf.TryLoadAsync("autoboot.txt");
        await shelf.TextAsync("config.txt");
        await shelf.ProbeAsync("recovery.elf");
        await shelf.LoadAsync("start.elf");
        await shelf.LoadAsync("fixup.dat");
        await shelf.ProbeAsync("recovery.elf");
        await shelf.TextAsync("config.txt");
        await shelf.TextAsync("config.txt");
        await shelf.TryLoadAsync("dt-blob.bin");
        await shelf.ProbeAsync("recovery.elf");
        await shelf.TextAsync("config.txt");
        var config = BootConfig.Read(await shelf.TextAsync("config.txt") ?? "", board);
        await shelf.TryLoadAsync("bootcfg.txt");
        await InitramfsAsync(shelf, config);
        var tree = await DeviceTreeAsync(shelf, config);
        await shelf.TextAsync("config.txt");
        await shelf.TextAsync("config.txt");
        await OverlaysAsync(shelf, config);
        var commandLine = await CommandLineAsync(shelf, config);
        var kernel = await ChooseKernelAsync(shelf, config);
        var is64Bit = kernel.EndsWith("8.img", StringComparison.Ordinal);
        await shelf.TryLoadAsync(is64Bit ? "armstub8.bin" : "armstub8-32.bin");
        await shelf.LoadAsync(kernel);
        return Files(shelf, config, kernel, tree, commandLine);
    }

    private async Task<BootFiles> Pi4Async()
    {
        var habits = new TftpHabits(TransferSize: true, _traits.BlockSize, _traits.BlockRollover);
        var own = Shelf(board.Prefix + "/", habits);
        // The prefix holds if either firmware is below it; else it is dropped for good.
        var shelf = await own.ProbeAsync("start4.elf") || await own.ProbeAsync("start.elf") ? own : Shelf("", habits);
        await shelf.TextAsync("config.txt");
        if (board.Model == BoardModel.Pi4Old && await shelf.TryLoadAsync("vl805.sig"))
            await shelf.TryLoadAsync("vl805.bin");
        // The signature alone: a loader that finds its own version there asks for no update.
        await shelf.TryLoadAsync("pieeprom.sig");
        await shelf.ProbeAsync("recover4.elf");
        await shelf.ProbeAsync("recovery.elf");
        await shelf.LoadAsync("start4.elf");
        await shelf.LoadAsync("fixup4.dat");
        await shelf.ProbeAsync("recovery.elf");
        await shelf.TextAsync("config.txt");
        await shelf.TryLoadAsync("dt-blob.bin");
        await shelf.ProbeAsync("recovery.elf");
        var config = BootConfig.Read(await shelf.TextAsync("config.txt") ?? "", board);
        await shelf.TryLoadAsync("bootcfg.txt");
        await InitramfsAsync(shelf, config);
        var tree = await DeviceTreeAsync(shelf, config);
        await OverlaysAsync(shelf, config);
        var commandLine = await CommandLineAsync(shelf, config);
        await shelf.ProbeAsync("recovery8.img");
        var kernel = await ChooseKernelAsync(shelf, config);
        await shelf.TryLoadAsync("armstub8-gic.bin");
        await shelf.LoadAsync(kernel);
        return Files(shelf, config, kernel, tree, commandLine);
    }

    // No start*.elf: the firmware is in the EEPROM. No complete public trace is known; this is the part that is.
    private async Task<BootFiles> Pi5Async()
    {
        var habits = new TftpHabits(TransferSize: true, _traits.BlockSize, _traits.BlockRollover);
        var shelf = Shelf(board.Prefix + "/", habits);
        var text = await shelf.TextAsync("config.txt");
        if (text is null)
        {
            shelf = Shelf("", habits);
            text = await shelf.TextAsync("config.txt");
        }
        var config = BootConfig.Read(text ?? "", board);
        var tree = await DeviceTreeAsync(shelf, config);
        await OverlaysAsync(shelf, config);
        var commandLine = await CommandLineAsync(shelf, config);
        await InitramfsAsync(shelf, config);
        var kernel = await ChooseKernelAsync(shelf, config);
        await shelf.LoadAsync(kernel);
        await shelf.LoadAsync(kernel);
        return Files(shelf, config, kernel, tree, commandLine);
    }

    private static async Task InitramfsAsync(RomShelf shelf, BootConfig config)
    {
        if (config.Initramfs is { } name) await shelf.LoadAsync(config.OsPrefix + name);
    }

    private async Task<string> DeviceTreeAsync(RomShelf shelf, BootConfig config)
    {
        var name = config.OsPrefix + (config.DeviceTree ?? _traits.DeviceTree);
        if (await shelf.TryLoadAsync(name)) return name;
        if (config.DeviceTree is null && _traits.UpstreamDeviceTree is { } upstream
            && await shelf.TryLoadAsync(config.OsPrefix + upstream))
            return config.OsPrefix + upstream;
        throw new BootStoppedException($"{shelf.Prefix}{name} is not there");
    }

    private async Task OverlaysAsync(RomShelf shelf, BootConfig config)
    {
        if (board.Model == BoardModel.Pi5) await shelf.TryLoadAsync(config.OsPrefix + "overlays/bcm2712d0.dtbo");
        else await shelf.TryLoadAsync(config.OsPrefix + "overlays/overlay_map.dtb");
        foreach (var overlay in config.Overlays) await shelf.TryLoadAsync($"{config.OsPrefix}overlays/{overlay}.dtbo");
    }

    private static async Task<string> CommandLineAsync(RomShelf shelf, BootConfig config) =>
        (await shelf.TextAsync(config.OsPrefix + config.CommandLineFile) ?? "").Split('\n')[0].Trim();

    private async Task<string> ChooseKernelAsync(RomShelf shelf, BootConfig config)
    {
        string[] names = config.Kernel is { } named ? [named]
            : [.. _traits.Kernels.Where(k => config.Is64Bit || !k.EndsWith("8.img", StringComparison.Ordinal))];
        foreach (var name in names)
            if (await shelf.ProbeAsync(config.OsPrefix + name)) return config.OsPrefix + name;
        throw new BootStoppedException($"{shelf.Prefix}{config.OsPrefix}{names[0]} is not there: no kernel");
    }

    private static BootFiles Files(
        RomShelf shelf, BootConfig config, string kernel, string tree, string commandLine) =>
        new(shelf.Prefix + kernel, config.Initramfs is null ? null : shelf.Prefix + config.OsPrefix + config.Initramfs,
            shelf.Prefix + tree, commandLine);
}
