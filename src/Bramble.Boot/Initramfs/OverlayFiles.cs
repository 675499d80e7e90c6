namespace Bramble.Boot.Initramfs;

/// <summary>
/// The files that every node's overlay carries unchanged: the program by which the installed system reports in, and
/// the unit that runs it. The busybox that it runs on is put there by the installer.
/// </summary>
public static class OverlayFiles
{
    private const string Prefix = "overlay/";
    private const string Units = "usr/lib/systemd/system/";
    private const string Wants = "etc/systemd/system/multi-user.target.wants/";
    private const int Plain = 0b110_100_100;

    public static IReadOnlyList<EmbeddedFile> All { get; } =
    [
        EmbeddedFile.Load(Prefix + "report", "usr/lib/bramble/report", 0b111_101_101),
        Unit("bramble-report.service"),
        Unit("bramble-reboot.path"),
        Unit("bramble-reboot.service"),
        Enabled("bramble-report.service"),
        Enabled("bramble-reboot.path"),
    ];

    private static EmbeddedFile Unit(string name) => EmbeddedFile.Load(Prefix + name, Units + name, Plain);

    /// <summary>As <c>systemctl enable</c> does it.</summary>
    private static EmbeddedFile Enabled(string name) =>
        new(Wants + name, 0b111_111_111, default) { LinkTarget = $"/{Units}{name}" };
}
