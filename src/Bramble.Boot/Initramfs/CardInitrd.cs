using System.Reflection;
using Bramble.Boot.Images;

namespace Bramble.Boot.Initramfs;

/// <summary>
/// The small initrd on a made disk's boot partition, with which the card boots by itself when brambled is away: it
/// finds the root by its label and switches to it. The first kernel upgrade replaces it by the distribution's own.
/// </summary>
internal static class CardInitrd
{
    /// <summary>Null if the root's architecture is unknown or it has no modules of that kernel.</summary>
    public static async Task<byte[]?> MakeAsync(
        IRootFiles root, string version, string work, PackageCache packages, CancellationToken cancellation)
    {
        var architecture = await root.ArchitectureAsync(work, cancellation).ConfigureAwait(false);
        if (architecture == "unknown") return null;
        var sets = await InitramfsBuilder.ReadModulesAsync(root, WantedModules.Storage, version, work, cancellation)
            .ConfigureAwait(false);
        if (sets.Count == 0) return null;
        var busybox = await Busybox.FindAsync(root, architecture, work, packages, cancellation).ConfigureAwait(false);
        using var resource = Assembly.GetExecutingAssembly()
            .GetManifestResourceStream("Bramble.Boot.Initramfs.card-init.sh")!;
        using var init = new MemoryStream();
        await resource.CopyToAsync(init, cancellation).ConfigureAwait(false);
        using var made = new MemoryStream();
        InitramfsBuilder.Write(made, busybox, init.ToArray(), [], sets);
        return made.ToArray();
    }
}
