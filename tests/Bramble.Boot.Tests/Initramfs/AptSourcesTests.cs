using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Boot.Tests.Images;

namespace Bramble.Boot.Tests.Initramfs;

public sealed class AptSourcesTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_hosts_mirrors_are_kept_and_others_repositories_are_not()
    {
        _scratch.Write("sources.list", """
            # a comment
            deb-src http://mirror.example/debian bookworm main
            deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # why
            deb http://nodes.example/deb bookworm stable
            """u8);
        _scratch.Write("sources.list.d/sec.sources", """
            Types: deb deb-src
            # in the middle
            URIs: http://mirror.example/security
            Suites: bookworm-security
            Components: main
            Signed-By:
             -----BEGIN PGP PUBLIC KEY BLOCK-----
             .
             abc

            Types: deb
            Enabled: no
            URIs: http://off.example/debian
            Suites: bookworm-updates
            Components: main
            """u8);
        var sources = AptSources.For("trixie", ["main", "non-free-firmware"], _scratch.Root, "bookworm");
        Assert.Equal(
            "deb [signed-by=/k.gpg] http://mirror.example/debian trixie main non-free-firmware\n" +
            "deb http://mirror.example/security trixie-security main non-free-firmware\n", AptSources.Render(sources));
    }

    [Fact]
    public void A_host_without_a_debian_mirror_is_told_what_to_add()
    {
        var refused = Assert.Throws<ImageException>(
            () => AptSources.For("bookworm", ["main"], _scratch.Root, "bookworm"));
        Assert.Contains("name no Debian mirror", refused.Message, StringComparison.Ordinal);
        Assert.Equal("bookworm",
            AptSources.HostCodename(_scratch.Write("os", "ID=ubuntu\nVERSION_CODENAME=noble\n"u8)));
    }
}
