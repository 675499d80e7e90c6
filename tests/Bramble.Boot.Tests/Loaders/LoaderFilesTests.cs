using Bramble.Boot.Images;
using Bramble.Boot.Loaders;
using Bramble.Boot.Tests.Images;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests.Loaders;

/// <summary>Where the boot loaders of other machines come from, and what is said while one is missing.</summary>
public sealed class LoaderFilesTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly ImageStore _store;
    private readonly List<string> _asked = [];
    private Func<string, string> _mirror = package => throw new ImageException($"no route to the mirror of {package}");

    public LoaderFilesTests() =>
        _store = new ImageStore(_scratch["images"], _clock, NullLogger<ImageStore>.Instance);

    public void Dispose()
    {
        _store.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void One_that_the_host_has_installed_is_taken_from_there()
    {
        using var loaders = Open();
        Host("usr/lib/ipxe/undionly.kpxe");
        Assert.True(loaders.IsReady("undionly.kpxe", out _));
        Assert.True(loaders.TryFind("undionly.kpxe", out var path));
        Assert.Equal(_scratch["host/usr/lib/ipxe/undionly.kpxe"], path);
        Assert.Empty(_asked);
    }

    [Fact]
    public void A_name_that_is_no_loader_is_nobodys()
    {
        using var loaders = Open();
        Assert.False(loaders.TryFind("vmlinuz", out _));
        Assert.True(loaders.IsReady("mine.efi", out _));
    }

    [Fact]
    public async Task The_first_machine_that_asks_has_it_fetched_with_what_it_starts()
    {
        using var loaders = Open();
        _mirror = package =>
        {
            Host(package == "shim-signed" ? "usr/lib/shim/shimx64.efi.signed"
                : "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed");
            return _scratch["host"];
        };
        Assert.False(loaders.IsReady("shimx64.efi", out var missing));
        Assert.Contains("shimx64.efi is being fetched (package shim-signed)", missing, StringComparison.Ordinal);
        await Patience.UntilAsync(() => loaders.IsReady("shimx64.efi", out _), "the loader was not fetched");
        Assert.True(loaders.TryFind("grubx64.efi", out _));
        Assert.Equal(["shim-signed amd64", "grub-efi-amd64-signed amd64"], _asked);
    }

    [Fact]
    public async Task One_that_cannot_be_had_says_why_and_is_tried_again_a_minute_later()
    {
        using var loaders = Open();
        var missing = "";
        await Patience.UntilAsync(
            () => !loaders.IsReady("shimaa64.efi", out missing) && missing.Contains("cannot be had"),
            "the failure was not told");
        Assert.Contains("no route to the mirror of shim-signed", missing, StringComparison.Ordinal);
        loaders.IsReady("shimaa64.efi", out _);
        Assert.Single(_asked);
        _clock.Advance(TimeSpan.FromMinutes(1));
        await Patience.UntilAsync(() => !loaders.IsReady("shimaa64.efi", out _) && _asked.Count == 2,
            "it was not tried again");
    }

    [Fact]
    public async Task A_package_without_the_file_is_an_error_by_name()
    {
        using var loaders = Open();
        _mirror = _ => _scratch["host"];
        var error = await Assert.ThrowsAsync<ImageException>(
            () => loaders.FetchAsync(["grubaa64.efi"], TestContext.Current.CancellationToken));
        Assert.Contains("grub-efi-arm64-signed holds no usr/lib/grub/arm64-efi-signed/", error.Message,
            StringComparison.Ordinal);
    }

    private LoaderFiles Open() => new(_store, _clock, NullLogger<LoaderFiles>.Instance)
    {
        HostRoot = _scratch["host"],
        Fetch = (package, architecture, _) =>
        {
            lock (_asked) _asked.Add($"{package} {architecture}");
            return Task.FromResult(_mirror(package));
        },
    };

    private void Host(string path)
    {
        var full = Path.Combine(_scratch["host"], path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, "loader");
    }
}
