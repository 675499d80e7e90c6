using Bramble.Cli.Import;
using Bramble.Contracts.Nodes;

namespace Bramble.Cli.Tests.Import;

/// <summary>The other systems' files, as they wrote them, and what is read out of them.</summary>
public sealed class ImportReadingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bramble-import-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Pimans_hosts_are_boards_with_the_newest_of_their_addresses()
    {
        var read = PimanHosts.Read(Write("hosts.csv",
            """
            52:54:00:19:6D:0F;172.30.1.6;reno;1569876330
            52:54:00:36:C2:12;172.30.1.7;Scranton;1569879563
            52:54:00:B7:B1:DA;;;
            B8:27:EB:6B:21:41;172.16.1.1;;0

            52:54:00:19:6d:0f;192.168.122.12;reno;1570141632
            B8:27:EB:6B:21:42;172.16.1.2
            B8:27:EB:6B:21:43;172.16.1.3;pi;yesterday
            """));
        Assert.Equal(
            [
                "6 52:54:00:19:6d:0f reno 192.168.122.12", "2 52:54:00:36:C2:12 scranton 172.30.1.7",
                "3 52:54:00:B7:B1:DA - -", "4 B8:27:EB:6B:21:41 - 172.16.1.1",
            ], Nodes(read));
        Assert.Equal(
            [
                "7 bad: it has 2 fields where there should be 4: MAC;IP;hostname;last_used",
                "8 bad: 'yesterday' is no time in seconds since 1970; leave it empty",
                "1 skipped: line 6 is newer for this board",
            ], Others(read));
    }

    [Fact]
    public void Piracks_boards_get_the_place_of_their_stack()
    {
        var structure = Write("structure_rack.ini",
            "[rack]\n\npi_stack = 2\nnbr_stack = 2\nrows = 1\ncols = 2\n\n[1]\n\nid = 1\nx = 1\ny = 1\n\n[2]\n"
            + "id: 2\nX: 1\n; a comment\ny = 2\n");
        Write("dict_rasps.csv", "1,b8:27:eb:00:00:01,1,192.168.23.70\n2,b8:27:eb:00:00:02,2,192.168.23.71\n"
            + "3,b8:27:eb:00:00:03,7,192.168.23.72\nx,b8:27:eb:00:00:04,1,\n5,b8:27:eb:00:00:05\n");
        var read = PiRack.Read(structure, null);
        Assert.Equal("dict_rasps.csv", read.File);
        Assert.Equal(
            [
                "1 b8:27:eb:00:00:01 - 192.168.23.70 #1 stack=1 x=1 y=1",
                "2 b8:27:eb:00:00:02 - 192.168.23.71 #2 stack=2 x=1 y=2",
            ], Nodes(read));
        Assert.Equal(
            [
                "3 bad: the stack '7' is not in structure_rack.ini; add it there as [7] with id, x and y",
                "4 bad: 'x' is no number", "5 bad: it has 2 fields where there should be 4: id,MAC,stack,IP",
            ], Others(read));
    }

    [Theory]
    [InlineData("[1]\nid = 1\nx = 1\n", "structure_rack.ini:1: [1] has no 'y'")]
    [InlineData("[1]\nx = 1\ny = left\n", "structure_rack.ini:3: 'left' is no number for 'y'")]
    [InlineData("x = 1\n", "structure_rack.ini:1: a key stands before the first section")]
    [InlineData("[1]\nx = 1\nx = 2\n", "structure_rack.ini:3: 'x' is in this section already")]
    [InlineData("[a\n", "structure_rack.ini:1: a section's head ends with ']'")]
    [InlineData("[1]\nx = 1\ny = 1\n[1]\n", "structure_rack.ini:4: [1] is there already, in line 1")]
    [InlineData("[top]\nx = 1\ny = 1\n", "structure_rack.ini:1: [top] is neither [rack] nor the number of a stack")]
    public void A_structure_of_pirack_that_is_wrong_is_told_by_its_line(string text, string says)
    {
        Write("dict_rasps.csv", "");
        var e = Assert.Throws<CliException>(() => PiRack.Read(Write("structure_rack.ini", text), null));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_piracks_list_of_boards_it_is_said_where_that_is()
    {
        var e = Assert.Throws<UsageException>(() => PiRack.Read(Write("structure_rack.ini", "[1]\nx=1\ny=1\n"), null));
        Assert.Contains("dict_rasps.csv", e.Message, StringComparison.Ordinal);
        Assert.Contains("--boards FILE", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Grapes_devices_keep_their_names_and_their_place()
    {
        var read = GrapeConfig.Read(Write("config.toml",
            """
            [cluster]
                # a comment
                ssh_username = "pi"
                ssh_password = "raspberry"
                [cluster.stacks.0]
                    [cluster.stacks.0.devices.0]
                        mac = "B8:27:EB:2C:C0:04"
                    [cluster.stacks.0.devices.5]
                        mac = "B8:27:EB:07:8A:E7"
                    [cluster.stacks.0.devices.6]
                        mac = "B8:27:EB:07:8A:E8"
                    [cluster.stacks.0.devices.2]
                    [cluster.stacks.0.devices.3]
                        mac = 7
                [cluster.stacks.1]
                    [cluster.stacks.1.devices]
            [rest_server]
                port = 4000
            [netboot]
                active = true
                base_boot_dir = "/tftpboot/base"
            """));
        Assert.Equal(
            ["7 B8:27:EB:2C:C0:04 worker-0-0 - stack=0 slot=0", "9 B8:27:EB:07:8A:E7 worker-0-5 - stack=0 slot=5"],
            Nodes(read));
        Assert.Equal(
            [
                "10 bad: [cluster.stacks.0.devices.6] must name a stack from 0 to 15 and a slot from 0 to 5",
                "12 skipped: [cluster.stacks.0.devices.2] has no mac",
                "14 bad: cluster.stacks.0.devices.3.mac is not a text in quotes",
            ], Others(read));
        Assert.Equal([3, 4, 18, 20, 21], read.LeftOuts.Select(l => l.Line));
        Assert.DoesNotContain(read.LeftOuts, l => $"{l}".Contains("raspberry", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[cluster]\nname = x\n", "config.toml:2:9: 'x' is no value; a text stands in quotes")]
    [InlineData("[other]\n", "it is no configuration of Grape")]
    public void What_is_no_configuration_of_grape_is_told(string text, string says)
    {
        var e = Assert.Throws<CliException>(() => GrapeConfig.Read(Write("config.toml", text)));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_text_or_not_there_is_told()
    {
        var file = Path.Combine(_folder, "hosts.csv");
        Assert.Contains("cannot read", Assert.Throws<CliException>(() => PimanHosts.Read(file)).Message,
            StringComparison.Ordinal);
        File.WriteAllBytes(file, [0xff, 0xfe, 0x41, 0xc3]);
        Assert.Contains("is not text in UTF-8", Assert.Throws<CliException>(() => PimanHosts.Read(file)).Message,
            StringComparison.Ordinal);
    }

    internal static string[] Nodes(ImportReading read) => [.. read.Nodes.Select(n =>
        $"{n.Line} {n.Mac} {n.Name ?? "-"} {n.Address ?? "-"}" + (n.Number is { } number ? $" #{number}" : "")
        + string.Concat((n.Labels ?? new Dictionary<string, string>()).Select(l => $" {l.Key}={l.Value}")))];

    internal static string[] Others(ImportReading read) =>
        [.. read.Others.Select(o => $"{o.Line} {Word(o.Verdict)}: {o.Message}")];

    private static string Word(NodeImportVerdict verdict) => verdict.ToString().ToLowerInvariant();

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
