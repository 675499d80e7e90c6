namespace Bramble.Boot.Loaders;

/// <summary>Which loader UEFI firmware is given.</summary>
public enum UefiLoader
{
    /// <summary>
    /// GRUB where we give the address. Beside another DHCP server the kernel itself: GRUB looks for its files at the
    /// server that gave the address and knows nothing of proxies.
    /// </summary>
    Auto,

    /// <summary>shim, then GRUB, both signed: starts with and without Secure Boot, on x64 and on arm64.</summary>
    Grub,

    /// <summary>
    /// iPXE, unsigned: firmware with Secure Boot refuses it. Debian has none for arm64, which is given GRUB all the
    /// same.
    /// </summary>
    Ipxe,
}

/// <summary>What a network says of boot loaders.</summary>
public sealed record LoaderRules
{
    /// <summary>Where the boot files are over HTTP, e.g. <c>http://10.77.0.1:8067</c>; null if nowhere.</summary>
    public string? BootUrl { get; init; }

    public UefiLoader Uefi { get; init; }

    /// <summary>Whether another server gives the addresses.</summary>
    public bool BesideAnother { get; init; }

    /// <summary>Boot files by client architecture, named by hand: a path of the boot tree, or a URL.</summary>
    public IReadOnlyDictionary<ushort, string> ByHand { get; init; } = new Dictionary<ushort, string>();
}

/// <summary>What a network-boot client is told to fetch first.</summary>
/// <param name="Name">For option 67 and <c>file</c>: a path, or a URL; empty where the client makes up its own.</param>
/// <param name="Needs">
/// The loader without which it cannot start (see <see cref="LoaderFiles"/>); empty for none.
/// </param>
/// <param name="Rule">Which rule said so, for people.</param>
public sealed record LoaderChoice(string Name, string Needs, string Rule)
{
    /// <summary>The script that iPXE runs; rendered for each node.</summary>
    public const string IpxeScript = "boot.ipxe";

    /// <summary>Kernel, initramfs and command line in one EFI program; put together for each node.</summary>
    public const string UnifiedKernel = "bramble.efi";

    /// <summary>The choice for a client that is no Pi; null if there is nothing for its architecture.</summary>
    public static LoaderChoice? For(BoardIdentity board, LoaderRules rules)
    {
        if (board.Family != BoardFamily.Pxe) return null;
        var architecture = board.ClientArchitecture ?? ClientArchitecture.Bios;
        // iPXE that was given iPXE once more would go round for ever: it gets its script, whoever loaded it.
        if (board.Client == BootClient.Ipxe && rules.BootUrl is { } url)
            return new LoaderChoice($"{url}/boot/{IpxeScript}", "", "iPXE (option 77): its script");
        if (rules.ByHand.TryGetValue(architecture, out var byHand))
        {
            var isUrl = byHand.Contains("://", StringComparison.Ordinal);
            return new LoaderChoice(isUrl ? byHand : Name(byHand), byHand,
                $"boot_files of the network: {ClientArchitecture.NameOf(architecture)}");
        }
        if (rules.BootUrl is null) return null;
        // Its EFI gives a program no network: shim would find no GRUB.
        if (board.Client == BootClient.UBoot && architecture == ClientArchitecture.UefiArm64)
            return new LoaderChoice(UnifiedKernel, LoaderFiles.StubArm64, "U-Boot's EFI: kernel and initramfs in one");
        if (board.Client == BootClient.UBoot)
            return new LoaderChoice("", "", "U-Boot: it asks for pxelinux.cfg by itself");
        var kernelItself = rules.BesideAnother && rules.Uefi == UefiLoader.Auto;
        var (file, needs) = architecture switch
        {
            ClientArchitecture.Bios => (LoaderFiles.IpxeBios, LoaderFiles.IpxeBios),
            ClientArchitecture.UefiX64 or ClientArchitecture.UefiEbc when rules.Uefi == UefiLoader.Ipxe =>
                (LoaderFiles.IpxeX64, LoaderFiles.IpxeX64),
            ClientArchitecture.UefiX64 or ClientArchitecture.UefiEbc when kernelItself =>
                (UnifiedKernel, LoaderFiles.StubX64),
            ClientArchitecture.UefiArm64 when kernelItself => (UnifiedKernel, LoaderFiles.StubArm64),
            ClientArchitecture.UefiX64 or ClientArchitecture.UefiEbc => (LoaderFiles.ShimX64, LoaderFiles.ShimX64),
            ClientArchitecture.UefiArm64 => (LoaderFiles.ShimArm64, LoaderFiles.ShimArm64),
            // Started by HTTP, Debian's GRUB finds nothing: its signed image has no HTTP in it.
            ClientArchitecture.HttpX64 => (UnifiedKernel, LoaderFiles.StubX64),
            ClientArchitecture.HttpArm64 => (UnifiedKernel, LoaderFiles.StubArm64),
            _ => ("", ""),
        };
        if (file.Length == 0) return null;
        return new LoaderChoice(Name(file), needs,
            $"client architecture {architecture}: {ClientArchitecture.NameOf(architecture)}");

        // UEFI specification 2.10 §24.7.3: HTTP boot wants a URI.
        string Name(string path) =>
            board.Client == BootClient.Http && rules.BootUrl is not null ? $"{rules.BootUrl}/boot/{path}" : path;
    }
}
