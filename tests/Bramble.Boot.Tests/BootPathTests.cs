namespace Bramble.Boot.Tests;

public sealed class BootPathTests
{
    [Theory]
    [InlineData("start4.elf", "start4.elf")]
    [InlineData("/start4.elf", "start4.elf")]
    [InlineData("///1045155b//start4.elf", "1045155b/start4.elf")]
    [InlineData("./config.txt", "config.txt")]
    [InlineData("a/./b/.", "a/b")]
    [InlineData(@"\boot\x64\wdsnbp.com", "boot/x64/wdsnbp.com")]
    [InlineData("overlays/", "overlays")]
    [InlineData("...", "...")]
    [InlineData("..config", "..config")]
    [InlineData("pxelinux.cfg/01-dc-a6-32-01-02-03", "pxelinux.cfg/01-dc-a6-32-01-02-03")]
    [InlineData("spaß 1.txt", "spaß 1.txt")]
    public void A_path_is_made_relative_and_plain(string raw, string path)
    {
        Assert.True(BootPath.TryNormalize(raw, out var result, out _));
        Assert.Equal(path, result);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("././/")]
    [InlineData("..")]
    [InlineData("../etc/passwd")]
    [InlineData("/../etc/passwd")]
    [InlineData("a/../../etc/passwd")]
    [InlineData("a/..")]
    [InlineData(@"..\..\etc\passwd")]
    [InlineData(@"a\../b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("a\u001b[2Jb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    public void What_climbs_or_hides_something_is_refused(string raw)
    {
        Assert.False(BootPath.TryNormalize(raw, out var path, out var error));
        Assert.Equal("", path);
        Assert.NotEmpty(error.Reason);
    }

    [Fact]
    public void A_path_has_at_most_512_characters()
    {
        Assert.True(BootPath.TryNormalize(new string('a', 512), out _, out _));
        Assert.False(BootPath.TryNormalize(new string('a', 513), out _, out _));
    }

    [Fact]
    public void Whatever_passes_stays_inside_whatever_the_input()
    {
        const int seed = 20261120;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        const string alphabet = "a./\\\0 ..//%é";
        for (var round = 0; round < 50_000; round++)
        {
            var raw = string.Create(random.Next(12), random, static (chars, r) =>
            {
                for (var i = 0; i < chars.Length; i++) chars[i] = alphabet[r.Next(alphabet.Length)];
            });
            if (!BootPath.TryNormalize(raw, out var path, out _)) continue;
            Assert.StartsWith("/root/", Path.GetFullPath("/root/" + path), StringComparison.Ordinal);
            Assert.True(BootPath.TryNormalize(path, out var again, out _));
            Assert.Equal(path, again);
        }
    }
}
