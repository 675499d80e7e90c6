namespace Bramble.Lab.Firmware;

/// <summary>What a boot loader's script says is to be started.</summary>
/// <param name="Kernel">As the script names it: a URL, or a path.</param>
/// <param name="InitramfsName">The name that the initramfs is given in memory; empty if it is given none.</param>
/// <param name="Retry">Whether the script begins again when a download fails.</param>
internal sealed record BootScript(
    string Kernel, string Initramfs, string InitramfsName, string CommandLine, bool Retry);
