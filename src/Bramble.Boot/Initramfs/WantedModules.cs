namespace Bramble.Boot.Initramfs;

/// <summary>
/// The drivers that an installer may need, by what they are for. A kernel that lacks one has it built in or for
/// another machine; order within a line matters where a bus must be there before its devices.
/// </summary>
internal static class WantedModules
{
    /// <summary>Disks and file systems: enough for a card to find its root.</summary>
    public static IReadOnlyList<string> Storage { get; } =
    [
        // crc32c: ext4 with metadata checksums asks the crypto layer for it by name.
        "crc32c_generic", "libcrc32c", "crc16", "mbcache", "jbd2", "ext4",
        "fat", "vfat", "nls_ascii", "nls_cp437", "nls_iso8859-1", "nls_utf8", "overlay", "loop",
        "bcm2835", "mmc_core", "mmc_block", "sdhci", "sdhci-pltfm", "sdhci-iproc", "bcm2835-sdhost", "sdhci-pci",
        "sdhci-acpi", "sdhci-brcmstb", "bcm2835-dma", "raspberrypi-hwmon", "clk-raspberrypi", "gpio-raspberrypi-exp",
        "reset-raspberrypi", "pcie-brcmstb", "phy-generic", "i2c-bcm2835", "regulator-fixed", "gpio-regulator",
        "usb-common", "usbcore", "roles", "udc-core", "dwc2", "xhci-hcd", "xhci-pci", "xhci-plat-hcd", "ehci-hcd",
        "ehci-pci", "ohci-hcd", "uhci-hcd", "scsi_mod", "sd_mod", "usb-storage", "uas",
        "libata", "libahci", "ahci", "ata_piix", "nvme-core", "nvme",
        "virtio", "virtio_ring", "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_scsi",
    ];

    /// <summary>Network cards of boards, of small PCs and of emulators, and a block device over the network.</summary>
    public static IReadOnlyList<string> Network { get; } =
    [
        "mii", "libphy", "fixed_phy", "broadcom", "bcm-phy-lib", "mdio-bcm-unimac", "genet", "bcmgenet", "macb",
        "usbnet", "cdc_ether", "cdc_ncm", "cdc_eem", "cdc_mbim", "rndis_host", "lan78xx", "microchip", "smsc",
        "smsc75xx", "smsc95xx", "asix",
        "ax88179_178a", "r8152", "r8169", "realtek", "e1000", "e1000e", "igb", "igc", "tg3", "atlantic", "8139cp",
        "8139too", "pcnet32", "virtio_net", "vmxnet3", "af_packet", "nbd", "8021q", "ipv6", "bcm2835_wdt",
        "virtio_rng", "bcm2835-rng", "iproc-rng200", "rng-core", "qemu_fw_cfg",
    ];

    public static IReadOnlyList<string> All { get; } = [.. Storage, .. Network];
}
