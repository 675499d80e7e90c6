namespace Bramble.Boot.Images;

/// <summary>
/// Gathers the boot partition of an unpacked root: what the root brings in /boot/firmware (or, in older layouts,
/// /boot), else Debian's raspi-firmware, kernel and device trees, and the two texts that a Pi's firmware reads.
/// </summary>
internal sealed class BootFiles(
    string root, string boot, Func<IRootFiles, string, CancellationToken, Task<byte[]?>>? initrd)
{
    /// <summary>As Debian's kernels name their device trees after the chip's true name.</summary>
    private const string Configuration =
        """
        # Written by Bramble when the image was made.
        arm_64bit=@64
        kernel=vmlinuz
        @initramfs
        upstream_kernel=1
        enable_uart=1
        disable_overscan=1

        """;

    /// <summary>Every path goes through it: a tar's link may lead out of its root, to this host's own files.</summary>
    private readonly DirectoryRoot _files = new(root);

    public async Task<IReadOnlyList<string>> GatherAsync(string work, CancellationToken cancellation)
    {
        var notes = new List<string>();
        Directory.CreateDirectory(boot);
        MoveFrom("boot/firmware");
        if (File.Exists(_files.Resolve("boot/bootcode.bin")) || File.Exists(_files.Resolve("boot/start4.elf")))
            MoveFrom("boot");
        CopyFrom("usr/lib/raspi-firmware");
        var architecture = await _files.ArchitectureAsync(work, cancellation).ConfigureAwait(false);
        var kernel = Newest(_files.Resolve("boot")) ?? Newest(boot);
        if (kernel is null)
        {
            if (!Directory.EnumerateFiles(boot, "kernel*.img").Any() && !File.Exists(Path.Combine(boot, "vmlinuz")))
                notes.Add("The root holds no kernel (/boot/vmlinuz-*): a board cannot boot from this image.");
            return notes;
        }
        var version = Path.GetFileName(kernel)["vmlinuz-".Length..];
        var to = Path.Combine(boot, "vmlinuz");
        if (Path.GetDirectoryName(kernel) == boot) File.Move(kernel, to, overwrite: true);
        else if (!File.Exists(to)) File.Copy(kernel, to);
        CopyDeviceTrees(version);
        var hasInitrd = await AddInitrdAsync(version, notes, cancellation).ConfigureAwait(false);
        if (architecture is "arm64" or "armhf") WriteTexts(architecture, hasInitrd);
        return notes;
    }

    private async Task<bool> AddInitrdAsync(
        string version, List<string> notes, CancellationToken cancellation)
    {
        var to = Path.Combine(boot, "initrd.img");
        var own = _files.Resolve($"boot/initrd.img-{version}");
        if (File.Exists(to)) return true;
        if (File.Exists(own))
        {
            File.Copy(own, to);
            return true;
        }
        if (initrd is null) return false;
        try
        {
            if (await initrd(_files, version, cancellation).ConfigureAwait(false) is { } made)
            {
                await File.WriteAllBytesAsync(to, made, cancellation).ConfigureAwait(false);
                return true;
            }
        }
        catch (ImageException e)
        {
            notes.Add($"No initrd could be made, so the disk does not boot without brambled: {e.Message}");
        }
        return false;
    }

    private void WriteTexts(string architecture, bool hasInitrd)
    {
        var config = Path.Combine(boot, "config.txt");
        if (!File.Exists(config))
        {
            File.WriteAllText(config, Configuration
                .Replace("@64", architecture == "arm64" ? "1" : "0", StringComparison.Ordinal)
                .Replace("@initramfs", hasInitrd ? "initramfs initrd.img followkernel" : "# no initrd",
                    StringComparison.Ordinal));
        }
        var cmdline = Path.Combine(boot, "cmdline.txt");
        if (!File.Exists(cmdline))
        {
            File.WriteAllText(cmdline,
                $"console=ttyS1,115200 console=tty0 root=LABEL={TarDisk.RootLabel} ro rootwait fsck.repair=yes\n");
        }
    }

    private void CopyDeviceTrees(string version)
    {
        // arm64 keeps them by maker, armhf in one directory.
        var directory = $"usr/lib/linux-image-{version}";
        foreach (var sub in new[] { "broadcom", "." }) CopyFrom($"{directory}/{sub}", "bcm2*.dtb");
        CopyFrom($"{directory}/overlays", "*", "overlays");
    }

    private static string? Newest(string? directory) =>
        !Directory.Exists(directory) ? null : Directory.EnumerateFiles(directory, "vmlinuz-*")
            .Where(f => new FileInfo(f).LinkTarget is null)
            .OrderBy(f => Path.GetFileName(f), StringComparer.Create(System.Globalization.CultureInfo.InvariantCulture,
                System.Globalization.CompareOptions.NumericOrdering)).LastOrDefault();

    /// <summary>Moves all of a directory to the boot partition; FAT knows no links, so those stay behind.</summary>
    private void MoveFrom(string relative)
    {
        var from = _files.Resolve(relative);
        if (!Directory.Exists(from)) return;
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var to = Path.Combine(boot, entry.Name);
            if (entry.LinkTarget is not null) continue;
            if (entry is DirectoryInfo directory && !Directory.Exists(to)) directory.MoveTo(to);
            else if (entry is FileInfo file && !File.Exists(to)) file.MoveTo(to);
        }
    }

    private void CopyFrom(string relative, string pattern = "*", string to = "")
    {
        var from = _files.Resolve(relative);
        if (!Directory.Exists(from)) return;
        Directory.CreateDirectory(Path.Combine(boot, to));
        foreach (var file in Directory.EnumerateFiles(from, pattern))
            CopyIfNew(file, Path.Combine(boot, to, Path.GetFileName(file)));
    }

    private static void CopyIfNew(string from, string to)
    {
        if (!File.Exists(to) && new FileInfo(from).LinkTarget is null) File.Copy(from, to);
    }
}
