namespace Bramble.Boot.Initramfs;

/// <summary>
/// The installer (docs/protocols/installer.md): the scripts that run in the initramfs on Debian's static busybox.
/// </summary>
public static class InstallerScripts
{
    private const string Prefix = "installer/";
    private const int Executable = 0b111_101_101;
    private const int Plain = 0b110_100_100;

    /// <summary>Process 1.</summary>
    public static EmbeddedFile Init { get; } = EmbeddedFile.Load(Prefix + "init", "init", Executable);

    /// <summary>What <see cref="Init"/> runs, under <c>lib/bramble</c>.</summary>
    public static IReadOnlyList<EmbeddedFile> Library { get; } =
    [
        .. EmbeddedFile.Resources(Prefix).Select(resource => resource[Prefix.Length..])
            .Where(name => name.EndsWith(".sh", StringComparison.Ordinal))
            // udhcpc executes its script; the others are read by the shell.
            .Select(name => EmbeddedFile.Load(
                Prefix + name, "lib/bramble/" + name, name == "udhcpc.sh" ? Executable : Plain)),
    ];

    /// <summary>All of it.</summary>
    public static IReadOnlyList<EmbeddedFile> All { get; } = [Init, .. Library];
}
