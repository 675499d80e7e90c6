using System.Text;

namespace Bramble.Manager.Provisioning;

/// <summary>What a boot loader is to start on one node: the image's kernel with our installer.</summary>
/// <param name="Node">The node's name, shown on its screen.</param>
/// <param name="Url">Of the boot network's HTTP, without a slash at its end.</param>
public sealed record BootEntry(string Node, string Url, string Kernel, string Initramfs, string CommandLine);

/// <summary>The scripts of the boot loaders of machines that are no Pis, rendered for one node. Pure.</summary>
public static class BootScripts
{
    /// <summary>Where GRUB's signed network image looks for its configuration.</summary>
    public const string GrubConfig = "grub/grub.cfg";

    /// <summary>The directory in which U-Boot, pxelinux and their like look.</summary>
    public const string PxelinuxDirectory = "pxelinux.cfg/";

    /// <summary>ipxe.org/scripting. A failed download is tried again: nobody stands at the keyboard.</summary>
    public static string Ipxe(BootEntry entry)
    {
        // An EFI kernel finds its initrd by the name on its command line; a BIOS one does not look at it.
        var name = entry.Initramfs[(entry.Initramfs.LastIndexOf('/') + 1)..];
        return $"""
            #!ipxe
            echo Bramble: starting {entry.Node}
            :try
            imgfree
            kernel {entry.Url}/boot/{entry.Kernel} initrd={name} {entry.CommandLine} || goto again
            initrd --name {name} {entry.Url}/boot/{entry.Initramfs} || goto again
            boot || goto again
            :again
            echo Bramble: that did not work; trying again in 10 s
            sleep 10
            goto try

            """;
    }

    /// <summary>
    /// GRUB's manual, "Network". By TFTP: Debian's signed image has no HTTP in it, and under Secure Boot it loads no
    /// module that is not signed.
    /// </summary>
    public static string Grub(BootEntry entry)
    {
        var root = $"(tftp,{new Uri(entry.Url).Host})";
        return $"""
            set timeout=0
            echo "Bramble: starting {entry.Node}"
            while true; do
              if linux {root}/{entry.Kernel} {Quoted(entry.CommandLine)}; then
                if initrd {root}/{entry.Initramfs}; then
                  boot
                fi
              fi
              echo "Bramble: that did not work; trying again in 10 s"
              sleep 10
            done

            """;
    }

    /// <summary>The syslinux format as U-Boot reads it (U-Boot's doc/README.pxe).</summary>
    public static string Pxelinux(BootEntry entry) =>
        $"""
        DEFAULT bramble
        TIMEOUT 1
        PROMPT 0
        LABEL bramble
          MENU LABEL Bramble: {entry.Node}
          KERNEL /{entry.Kernel}
          INITRD /{entry.Initramfs}
          FDTDIR /
          APPEND {entry.CommandLine}

        """;

    /// <summary>GRUB's shell takes `;`, `$` and the like for its own.</summary>
    private static string Quoted(string commandLine)
    {
        var words = new StringBuilder();
        foreach (var word in commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (words.Length > 0) words.Append(' ');
            words.Append('\'').Append(word.Replace("'", "'\\''", StringComparison.Ordinal)).Append('\'');
        }
        return words.ToString();
    }
}
