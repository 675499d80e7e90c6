using System.Net.Sockets;
using System.Text;
using Bramble.Processes;
using Bramble.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Boot.Tests;

public sealed class DirectoryBootTreeTests : IDisposable
{
    private readonly DirectoryInfo _top = Directory.CreateTempSubdirectory("bramble-tree-");
    private readonly string _root;
    private readonly DirectoryBootTree _tree;

    public DirectoryBootTreeTests()
    {
        _root = Path.Combine(_top.FullName, "tree");
        Directory.CreateDirectory(Path.Combine(_root, "overlays"));
        File.WriteAllText(Path.Combine(_root, "config.txt"), "arm_64bit=1\n");
        File.WriteAllText(Path.Combine(_root, "overlays", "a.dtbo"), "overlay");
        File.WriteAllText(Path.Combine(_top.FullName, "secret"), "outside");
        _tree = new DirectoryBootTree(_root + "/", NullLogger<DirectoryBootTree>.Instance);
    }

    public void Dispose()
    {
        _tree.Dispose();
        _top.Delete(recursive: true);
    }

    [Fact]
    public void A_file_is_read_from_any_offset()
    {
        Assert.Equal("arm_64bit=1\n", ReadAll("config.txt"));
        Assert.Equal("overlay", ReadAll("overlays/a.dtbo"));
        Assert.True(_tree.TryOpen("config.txt", out var content));
        using (content)
        {
            var buffer = new byte[100];
            Assert.Equal(4, content.Read(8, buffer));
            Assert.Equal("t=1\n"u8.ToArray(), buffer[..4]);
            Assert.Equal(0, content.Read(12, buffer));
            Assert.Equal(0, content.Read(long.MaxValue, buffer));
            Assert.Equal(0, content.Read(-1, buffer));
        }
    }

    [Theory]
    [InlineData("CONFIG.TXT")]
    [InlineData("nothing")]
    [InlineData("overlays")]
    [InlineData("config.txt/more")]
    [InlineData("../secret")]
    [InlineData("overlays/../../secret")]
    public void What_is_no_file_in_the_tree_is_not_there(string path) => Assert.False(_tree.TryOpen(path, out _));

    [Theory]
    [InlineData("../secret")]
    [InlineData("overlays/../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("/proc/self/root/etc/passwd")]
    [InlineData("/dev/null")]
    public void A_link_out_of_the_tree_is_not_there(string target)
    {
        File.CreateSymbolicLink(Path.Combine(_root, "link"), target);
        Assert.False(_tree.TryOpen("link", out _));
    }

    [Fact]
    public void A_directory_that_links_out_and_a_sibling_with_the_same_beginning_do_not_help()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "up"), "..");
        Assert.False(_tree.TryOpen("up/secret", out _));
        Directory.CreateDirectory(_root + "-private");
        File.WriteAllText(_root + "-private/key", "k");
        File.CreateSymbolicLink(Path.Combine(_root, "near"), "../tree-private/key");
        Assert.False(_tree.TryOpen("near", out _));
    }

    [Fact]
    public void Links_inside_the_tree_are_followed_be_they_relative_or_absolute()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "relative"), "overlays/a.dtbo");
        File.CreateSymbolicLink(Path.Combine(_root, "absolute"), Path.Combine(_root, "config.txt"));
        File.CreateSymbolicLink(Path.Combine(_root, "1045155b"), ".");
        Assert.Equal("overlay", ReadAll("relative"));
        Assert.Equal("arm_64bit=1\n", ReadAll("absolute"));
        Assert.Equal("overlay", ReadAll("1045155b/overlays/a.dtbo"));
    }

    [Fact]
    public void A_root_that_is_itself_a_link_works()
    {
        var alias = Path.Combine(_top.FullName, "alias");
        File.CreateSymbolicLink(alias, "tree");
        using var tree = new DirectoryBootTree(alias, NullLogger<DirectoryBootTree>.Instance);
        Assert.True(tree.TryOpen("config.txt", out var content));
        content.Dispose();
    }

    [Fact]
    public void A_link_that_leads_to_itself_is_not_there()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "loop"), "loop");
        Assert.False(_tree.TryOpen("loop", out _));
    }

    [Fact]
    public async Task A_FIFO_or_a_socket_is_not_opened()
    {
        var made = await ChildProcess.RunAsync(
            "mkfifo", [Path.Combine(_root, "fifo")], timeout: Patience.Limit,
            cancellation: TestContext.Current.CancellationToken);
        Assert.True(made.Succeeded, made.Complaint);
        // Opening a FIFO for reading would wait for a writer.
        Assert.False(await Task.Run(() => _tree.TryOpen("fifo", out _), TestContext.Current.CancellationToken)
            .WithinAsync("the answer for a FIFO"));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_root, "sock")));
        Assert.False(_tree.TryOpen("sock", out _));
    }

    [Fact]
    public void A_changed_file_has_another_tag_and_an_open_one_keeps_its_bytes()
    {
        Assert.True(_tree.TryOpen("config.txt", out var before));
        File.WriteAllText(Path.Combine(_root, "new"), "arm_64bit=0 now longer\n");
        File.Move(Path.Combine(_root, "new"), Path.Combine(_root, "config.txt"), overwrite: true);
        Assert.True(_tree.TryOpen("config.txt", out var after));
        using (before)
        using (after)
        {
            Assert.NotEqual(before.Tag, after.Tag);
            Assert.Equal("arm_64bit=1\n", Text(before));
            Assert.Equal("arm_64bit=0 now longer\n", Text(after));
        }
    }

    [Fact]
    public void A_file_cut_short_while_it_is_read_is_an_input_error()
    {
        Assert.True(_tree.TryOpen("config.txt", out var content));
        using var _ = content;
        using (var file = File.OpenWrite(Path.Combine(_root, "config.txt"))) file.SetLength(3);
        Assert.Throws<IOException>(() => content.Read(0, new byte[12]));
    }

    [Fact]
    public void All_readers_of_a_file_share_one_descriptor_and_the_cache_is_bounded()
    {
        var contents = new List<IBootContent>();
        for (var i = 0; i < 50; i++)
        {
            Assert.True(_tree.TryOpen("config.txt", out var content));
            contents.Add(content);
        }
        Assert.Equal(1, OpenDescriptors("config.txt"));
        foreach (var content in contents) content.Dispose();
        for (var i = 0; i < DirectoryBootTree.CacheLimit + 20; i++)
        {
            File.WriteAllText(Path.Combine(_root, $"many-{i}"), "x");
            Assert.True(_tree.TryOpen($"many-{i}", out var content));
            content.Dispose();
        }
        Assert.Equal(0, OpenDescriptors("config.txt"));
        Assert.Equal(DirectoryBootTree.CacheLimit, OpenDescriptors("many-"));
        _tree.Dispose();
        Assert.Equal(0, OpenDescriptors("many-"));
    }

    [Fact]
    public void A_root_that_is_gone_is_an_error_not_a_missing_file()
    {
        using var tree = new DirectoryBootTree(_root + "/nowhere", NullLogger<DirectoryBootTree>.Instance);
        var error = Assert.Throws<IOException>(() => tree.TryOpen("config.txt", out _));
        Assert.Contains("nowhere", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_memory_reads_like_one_on_disk()
    {
        using var content = new BytesBootContent("hello"u8.ToArray());
        var buffer = new byte[3];
        Assert.Equal(2, content.Read(3, buffer));
        Assert.Equal(0, content.Read(5, buffer));
        Assert.Equal(0, content.Read(-1, buffer));
        Assert.Equal(32, content.Tag.Length);
    }

    private int OpenDescriptors(string name) => Directory.GetFiles("/proc/self/fd").Count(fd =>
        new FileInfo(fd).LinkTarget?.StartsWith(Path.Combine(_root, name), StringComparison.Ordinal) ?? false);

    private string ReadAll(string path)
    {
        Assert.True(_tree.TryOpen(path, out var content), path);
        using (content) return Text(content);
    }

    private static string Text(IBootContent content)
    {
        var buffer = new byte[content.Length];
        Assert.Equal(buffer.Length, content.Read(0, buffer));
        return Encoding.UTF8.GetString(buffer);
    }
}
