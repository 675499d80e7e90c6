using System.Formats.Tar;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>What makes a disk this node: each file, whose it is and who may read it, the same each time.</summary>
public sealed class OverlayRendererTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly HostKeys _hostKeys;
    private readonly ServerSecret _secret;

    private readonly InstallAttempt _attempt = new()
    {
        Generation = 2, Image = "debian", Digest = "d", Disk = "/dev/sda", StartedAt = Sample.Start,
    };

    public OverlayRendererTests()
    {
        _hostKeys = new HostKeys(_scratch.Root);
        _secret = ServerSecret.Open(_scratch.Root);
    }

    public void Dispose()
    {
        _hostKeys.Dispose();
        _scratch.Dispose();
    }

    private async Task<(byte[] Tar, string HostKey)> RenderAsync(InstallOptions? install = null)
    {
        var network = Sample.Network with { Domain = "rack.example", Dns = [IPv4Address.Parse("10.77.0.53")] };
        var options = Sample.Options(install, network) with { Cluster = "attic" };
        return await new OverlayRenderer(options, _secret, _hostKeys)
            .RenderAsync(Sample.Node(1), network, _attempt, Scratch.Cancellation);
    }

    private static Dictionary<string, (TarEntry Entry, string Text)> Read(byte[] tar)
    {
        var entries = new Dictionary<string, (TarEntry, string)>();
        using var reader = new TarReader(new MemoryStream(tar));
        while (reader.GetNextEntry(copyData: true) is { } entry)
            entries[entry.Name] = (entry, entry.DataStream is { } data ? new StreamReader(data).ReadToEnd() : "");
        return entries;
    }

    [Fact]
    public async Task The_same_node_generation_and_configuration_give_the_same_octets()
    {
        var first = await RenderAsync();
        var again = await RenderAsync();
        Assert.Equal(first.HostKey, again.HostKey);
        Assert.True(first.Tar.AsSpan().SequenceEqual(again.Tar));
    }

    [Fact]
    public async Task A_node_is_who_it_is_and_reports_with_its_own_credential()
    {
        var (tar, hostKey) = await RenderAsync(new InstallOptions { SshAuthorizedKeys = ["ssh-ed25519 AAAA me"] });
        var files = Read(tar);
        Assert.Equal("node-01\n", files["etc/hostname"].Text);
        Assert.Contains("127.0.1.1 node-01.rack.example node-01\n", files["etc/hosts"].Text, StringComparison.Ordinal);
        Assert.Equal("search rack.example\nnameserver 10.77.0.53\n", files["etc/resolv.conf"].Text);
        Assert.Contains("MACAddress=b8:27:eb:00:00:01", files["etc/systemd/network/10-bramble.network"].Text,
            StringComparison.Ordinal);
        Assert.Equal("[Time]\nNTP=10.77.0.1\n", files["etc/systemd/timesyncd.conf.d/50-bramble.conf"].Text);
        Assert.Equal("url=http://10.77.0.1:8067\nnode=node-01\njob=1-2\n", files["etc/bramble/report.conf"].Text);
        Assert.True(_secret.Verify(files["etc/bramble/credential"].Text.TrimEnd(), CredentialKind.Node, 1, 2));
        Assert.Equal("ssh-ed25519 AAAA me\n", files["root/.ssh/authorized_keys"].Text);
        Assert.Equal(hostKey + "\n", files["etc/ssh/ssh_host_ed25519_key.pub"].Text);
        Assert.StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----", files["etc/ssh/ssh_host_ed25519_key"].Text,
            StringComparison.Ordinal);
        Assert.Contains("usr/lib/bramble/report", files.Keys);
        Assert.Equal("/usr/lib/systemd/system/bramble-report.service",
            files["etc/systemd/system/multi-user.target.wants/bramble-report.service"].Entry.LinkName);
    }

    [Fact]
    public async Task Secrets_are_roots_alone_and_everything_is_roots()
    {
        var files = Read((await RenderAsync(new InstallOptions { SshAuthorizedKeys = ["ssh-ed25519 AAAA me"] })).Tar);
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        foreach (var name in new[] { "etc/bramble/credential", "etc/ssh/ssh_host_ed25519_key",
            "root/.ssh/authorized_keys" })
            Assert.Equal(owner, files[name].Entry.Mode);
        Assert.Equal(owner | UnixFileMode.UserExecute, files["root/.ssh/"].Entry.Mode);
        Assert.True(files["usr/lib/bramble/report"].Entry.Mode.HasFlag(UnixFileMode.UserExecute));
        Assert.All(files.Values, f => Assert.Equal((0, 0), (f.Entry.Uid, f.Entry.Gid)));
    }

    [Fact]
    public async Task Files_of_the_operator_are_added_rendered_and_take_precedence()
    {
        _scratch.Write("o/etc/motd.tmpl", "{{name}} of {{cluster}} at {{manager}}\n");
        _scratch.Write("o/etc/plain", "{{name}}\n");
        _scratch.Write("o/etc/hosts", "127.0.0.1 mine\n");
        File.SetUnixFileMode(_scratch["o/etc/plain"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var files = Read((await RenderAsync(new InstallOptions { OverlayDirectory = _scratch["o"] })).Tar);
        Assert.Equal("node-01 of attic at 10.77.0.1\n", files["etc/motd"].Text);
        Assert.Equal(("{{name}}\n", UnixFileMode.UserRead | UnixFileMode.UserExecute),
            (files["etc/plain"].Text, files["etc/plain"].Entry.Mode));
        // The last of a name in a tar is what is there in the end.
        Assert.Equal("127.0.0.1 mine\n", files["etc/hosts"].Text);
    }

    [Fact]
    public async Task A_bad_template_is_named_with_its_line()
    {
        var file = _scratch.Write("o/etc/motd.tmpl", "fine\n{{nmae}}\n");
        var e = await Assert.ThrowsAsync<TemplateException>(
            () => RenderAsync(new() { OverlayDirectory = _scratch["o"] }));
        Assert.StartsWith($"{file}, line 2: there is no variable 'nmae'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_no_tar_holds_is_named()
    {
        var file = _scratch.Write($"o/{new string('a', 120)}/{new string('b', 120)}/{new string('c', 120)}", "");
        var e = await Assert.ThrowsAsync<IOException>(() => RenderAsync(new() { OverlayDirectory = _scratch["o"] }));
        Assert.StartsWith($"{file} cannot go into the overlay", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_key_is_made_once_kept_private_and_forgotten_with_its_node()
    {
        // Before the first install there is nothing to forget.
        _hostKeys.Forget(1);
        var keys = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => _hostKeys.GetAsync(1, "n", Scratch.Cancellation)));
        Assert.Single(keys.Distinct());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_scratch["hostkeys/1"]));
        _hostKeys.Forget(1);
        _hostKeys.Forget(1);
        Assert.NotEqual(keys[0].Public, (await _hostKeys.GetAsync(1, "n", Scratch.Cancellation)).Public);
    }
}
