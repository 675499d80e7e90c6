using Bramble.Boot.Initramfs;

namespace Bramble.Boot.Images;

/// <summary>A Debian root to build.</summary>
/// <param name="Name">The image's name.</param>
/// <param name="Architecture"><c>arm64</c>, <c>armhf</c> or <c>amd64</c>.</param>
public sealed record DebianRecipe(string Name, string Architecture)
{
    /// <summary>The release; this host's own unless said otherwise.</summary>
    public string Suite { get; init; } = AptSources.HostCodename();

    /// <summary>Packages on top of those that every node has.</summary>
    public IReadOnlyList<string> ExtraPackages { get; init; } = [];

    /// <summary>Without what a headless board does not use: see <c>debian-slim.cfg</c>.</summary>
    public bool Slim { get; init; }

    /// <summary>A mirror to take instead of this host's; null for the host's.</summary>
    public string? Mirror { get; init; }

    internal string Describe() => $"debian {Suite} {Architecture}{(Slim ? " slim" : "")}";

    /// <summary>What is installed: enough to boot, be reached by SSH, keep time and report in.</summary>
    internal IReadOnlyList<string> Packages()
    {
        List<string> packages =
        [
            "systemd-sysv", "udev", "dbus", "openssh-server", "e2fsprogs", "iproute2", "kmod", "curl",
            "systemd-timesyncd",
        ];
        // Since bookworm the resolver is a package of its own.
        if (Suite is not ("bullseye" or "buster")) packages.Add("systemd-resolved");
        packages.Add(Architecture switch
        {
            "armhf" => "linux-image-armmp-lpae",
            var other => $"linux-image-{other}",
        });
        if (Architecture is "arm64" or "armhf") packages.Add("raspi-firmware");
        return [.. packages, .. ExtraPackages];
    }
}
