using Bramble.Boot.Images;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(Bramble.Manager.Tests.TestImages))]

namespace Bramble.Manager.Tests;

/// <summary>
/// A small but real disk image, made once for all tests by the tools that make real ones: an MBR, a FAT with boot
/// files,
/// an ext4 root. In a store that tests share and only read.
/// </summary>
public sealed class TestImages : IDisposable
{
    public const string CmdLine = "console=serial0,115200 root=PARTUUID=1234abcd-02 rootwait quiet\n";
    public const string Config = "arm_64bit=1\nauto_initramfs=1\n";
    public static readonly byte[] Start4 = Noise(4, 300_001);

    private const int Sector = 512;
    private const int FatAt = 2048;
    private const int FatSectors = 8192;
    private const int RootAt = FatAt + FatSectors;
    private const int RootSectors = 8192;

    private readonly Scratch _scratch = new();
    private readonly Lazy<Task<ImageStore>> _store;

    public TestImages() => _store = new Lazy<Task<ImageStore>>(MakeAsync);

    /// <summary>A store with the image <c>debian</c>, and with the same content once more as <c>twin</c>.</summary>
    public Task<ImageStore> StoreAsync() => _store.Value;

    /// <summary>The disk as a file.</summary>
    public async Task<string> DiskAsync()
    {
        await StoreAsync();
        return _scratch["disk.img"];
    }

    public void Dispose()
    {
        if (_store.IsValueCreated && _store.Value.IsCompletedSuccessfully) _store.Value.Result.Dispose();
        _scratch.Dispose();
    }

    private static byte[] Noise(int seed, int bytes)
    {
        var data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }

    private async Task<ImageStore> MakeAsync()
    {
        var s = _scratch;
        s.Write("boot/config.txt", Config);
        s.Write("boot/cmdline.txt", CmdLine);
        File.WriteAllBytes(s["boot/start4.elf"], Start4);
        s.Write("root/etc/os-release", "PRETTY_NAME=\"Test GNU/Linux 1\"\n");
        foreach (var (name, sectors) in new[] { ("fat", FatSectors), ("ext4", RootSectors),
            ("disk.img", RootAt + RootSectors) })
        {
            await using var file = File.Create(s[name]);
            file.SetLength((long)sectors * Sector);
        }
        await Scratch.RunAsync("mkfs.fat", ["-F", "12", s["fat"]]);
        await Scratch.RunAsync("mcopy", ["-i", s["fat"], .. Directory.EnumerateFiles(s["boot"]), "::/"]);
        await Scratch.RunAsync("mke2fs", ["-q", "-t", "ext4", "-d", s["root"], s["ext4"]]);
        await Scratch.RunAsync("sfdisk", ["-q", s["disk.img"]],
            $"label: dos\nlabel-id: 0x1234abcd\n{FatAt},{FatSectors},c\n{RootAt},{RootSectors},83\n");
        await using (var disk = File.OpenWrite(s["disk.img"]))
        {
            disk.Position = FatAt * Sector;
            disk.Write(File.ReadAllBytes(s["fat"]));
            disk.Position = RootAt * Sector;
            disk.Write(File.ReadAllBytes(s["ext4"]));
        }
        var store = new ImageStore(s["store"], TimeProvider.System, NullLogger<ImageStore>.Instance);
        await store.AddFileAsync(s["disk.img"], "debian", new ImageAddOptions(Architecture: "arm64"));
        await store.AddFileAsync(s["disk.img"], "twin", new ImageAddOptions(Architecture: "arm64"));
        return store;
    }
}
