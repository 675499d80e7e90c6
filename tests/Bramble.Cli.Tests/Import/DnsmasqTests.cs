using System.ComponentModel;
using Bramble.Cli.Import;
using Bramble.Processes;

namespace Bramble.Cli.Tests.Import;

/// <summary>dnsmasq's configuration, its dhcp-host lines in all their forms, and its networks.</summary>
public sealed class DnsmasqTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bramble-import-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("b8:27:eb:00:00:01,10.77.0.5", "b8:27:eb:00:00:01 - 10.77.0.5", "")]
    [InlineData("B8:27:EB:00:00:01,pi1,10.77.0.5,45m", "b8:27:eb:00:00:01 pi1 10.77.0.5",
        "its lease time 45m is left out: networks[].dhcp.lease")]
    [InlineData("b8:27:eb:0:0:1,pi1,infinite", "b8:27:eb:00:00:01 pi1 -",
        "its lease time infinite is left out: networks[].dhcp.lease")]
    [InlineData("01-b8:27:eb:00:00:01,Pi1.rack.lan", "b8:27:eb:00:00:01 pi1 -", "the domain 'rack.lan' is left out")]
    [InlineData("set:red,b8:27:eb:00:00:01,set:old,net:red", "b8:27:eb:00:00:01 - - tag=red,old", "")]
    [InlineData("b8:27:eb:00:00:01,id:01:02:03,10.77.0.5", "b8:27:eb:00:00:01 - 10.77.0.5",
        "its client identifier is left out")]
    [InlineData("b8:27:eb:00:00:01,id:*,10.77.0.5", "b8:27:eb:00:00:01 - 10.77.0.5",
        "its client identifier is left out")]
    [InlineData("b8:27:eb:00:00:01,12:34:56:78:90:12,10.77.0.5", "b8:27:eb:00:00:01 - 10.77.0.5",
        "a node has one MAC address: 12:34:56:78:90:12 is left out")]
    [InlineData("b8:27:eb:00:00:01,10.77.0.5,[fd00::5],[::6]", "b8:27:eb:00:00:01 - 10.77.0.5",
        "IPv6 [fd00::5], [::6] is left out: only IPv4 boots")]
    public void A_host_with_a_mac_address_is_a_node(string value, string node, string note)
    {
        foreach (var line in new[] { $"dhcp-host={value}", value, $"dhcp-host = {value}  # a board" })
        {
            var read = Read(line);
            Assert.Equal([$"1 {node}"], ImportReadingTests.Nodes(read));
            Assert.Empty(read.Others);
            Assert.Equal(note, read.NotesOf(1));
        }
    }

    [Theory]
    [InlineData("b8:27:eb:*:*:*,ignore", "skipped: dnsmasq ignores this board")]
    [InlineData("b8:27:eb:00:00:*,10.77.0.5", "skipped: b8:27:eb:00:00:* is no one board's Ethernet address")]
    [InlineData("06-b8:27:eb:00:00:01,10.77.0.5", "skipped: 06-b8:27:eb:00:00:01 is no one board's Ethernet address")]
    [InlineData("id:lagrange,10.77.0.5", "skipped: it goes by a client identifier")]
    [InlineData("lap,192.168.0.199", "skipped: it names no MAC address")]
    [InlineData("tag:red,b8:27:eb:00:00:01,10.77.0.5", "skipped: it holds only where the tag red is set")]
    [InlineData("b8:27:eb:00:00:01,10.77.0.300", "bad: '10.77.0.300' is not an IPv4 address")]
    [InlineData("b8:27:eb:00:00:01,10.77.0.5,10.77.0.6", "bad: 2 IPv4 addresses; a node has one")]
    [InlineData("b8:27:eb:00:00,10.77.0.5", "bad: 'b8:27:eb:00:00' is no MAC address: it has 5 octets")]
    [InlineData("b8:27:eb:00:00:zz,pi", "bad: 'b8:27:eb:00:00:zz' is no MAC address")]
    [InlineData("b8:27:eb:00:00:01,,pi", "bad: two commas with nothing between them")]
    [InlineData("b8:27:eb:00:00:01,pi1,pi2", "bad: two names, 'pi1' and 'pi2'")]
    [InlineData("b8:27:eb:00:00:01,[fd00::1", "bad: '[fd00::1' begins with '['")]
    public void A_host_that_makes_no_node_says_why(string value, string says)
    {
        var read = Read($"dhcp-host={value}");
        Assert.Empty(read.Nodes);
        Assert.StartsWith($"1 {says}", Assert.Single(ImportReadingTests.Others(read)), StringComparison.Ordinal);
    }

    [Fact]
    public void Other_settings_are_told_with_what_corresponds_to_them()
    {
        var read = Read("# a comment\ninterface=eth1 # the rack\n\nenable-tftp\n"
            + "tftp-root=\"/srv/tftp # not a comment\"\n"
            + "cache-size=150\ndhcp-hostsfile=/etc/hosts.dhcp\ndhcp-host=b8:27:eb:00:00:01\n");
        Assert.Equal(["interface", "enable-tftp", "tftp-root", "cache-size", "dhcp-hostsfile"],
            read.LeftOuts.Select(l => l.Setting));
        Assert.Equal([2, 4, 5, 6, 7], read.LeftOuts.Select(l => l.Line));
        Assert.Equal("nothing corresponds to it", read.LeftOuts[3].Advice);
        Assert.Equal("8 b8:27:eb:00:00:01 - -", Assert.Single(ImportReadingTests.Nodes(read)));
    }

    [Fact]
    public void Its_networks_are_written_as_brambles()
    {
        var text = DnsmasqNetworks.Print(Write(
            """
            interface=eth1
            listen-address=127.0.0.1,10.77.0.1
            dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,2h
            dhcp-range=fd00::1,fd00::ff
            dhcp-option=3,10.77.0.254
            dhcp-option=option:dns-server,10.77.0.254,9.9.9.9
            dhcp-option=66,"boot # here"
            domain=rack.example
            enable-tftp
            tftp-root=/srv/my tftp
            """));
        Assert.Equal(
            """
            # From dnsmasq.conf. Replace every CHANGE-ME, then: brambled check-config FILE
            networks:
              - name: net1
                interface: eth1
                address: 10.77.0.1/24
                boot_tree: "/srv/my tftp"  # for boards without an image
                dhcp:
                  mode: authoritative
                  pool: [10.77.0.100-10.77.0.199]
                  # line 7: dhcp-option=66,boot # here: not taken over
                  router: 10.77.0.254
                  dns: [10.77.0.254, 9.9.9.9]
                  domain: rack.example
                  lease: 2h
              # line 4: dhcp-range=fd00::1,fd00::ff: only IPv4 boots; left out

            """, text);
    }

    [Fact]
    public void What_is_not_in_its_file_is_marked()
    {
        var text = DnsmasqNetworks.Print(Write(
            "dhcp-range=192.168.9.0,proxy\ndhcp-range=10.1.0.0,static,255.255.0.0,1w\n"));
        Assert.Equal(
            """
            # From dnsmasq.conf. Replace every CHANGE-ME, then: brambled check-config FILE
            networks:
              - name: net1
                interface: CHANGE-ME
                address: CHANGE-ME/24  # this machine's own address; dnsmasq took the length from the interface
                tftp: false
                dhcp:
                  mode: proxy
              - name: net2
                interface: CHANGE-ME
                address: CHANGE-ME/16  # this machine's own address
                tftp: false
                dhcp:
                  mode: reservations
                  # dnsmasq named itself as the router: set 'router' if that is wanted
                  lease: 7d

            """, text);
    }

    /// <summary>
    /// Our notion of what is a dhcp-host is dnsmasq's own: it accepts each of these, and refuses those.
    /// </summary>
    [Theory]
    [InlineData(true, "b8:27:eb:0:0:1,pi1,infinite")]
    [InlineData(true, "01-b8:27:eb:00:00:01,Pi1.rack.lan,45m")]
    [InlineData(true, "set:red,b8:27:eb:00:00:01,set:old,net:red,id:01:02:03")]
    [InlineData(true, "b8:27:eb:00:00:01,12:34:56:78:90:12,10.77.0.5,[fd00::5]")]
    [InlineData(true, "b8:27:eb:*:*:*,ignore")]
    [InlineData(false, "b8:27:eb:00:00:zz,pi")]
    public async Task Dnsmasq_itself_agrees(bool isGood, string value)
    {
        var file = Write($"port=0\ndhcp-host={value}\n");
        try
        {
            var said = await ChildProcess.RunAsync("dnsmasq", ["--test", $"--conf-file={file}"],
                timeout: TimeSpan.FromSeconds(20), cancellation: TestContext.Current.CancellationToken);
            Assert.True(said.Succeeded == isGood, said.Errors);
        }
        catch (Win32Exception)
        {
            Assert.Skip("needs dnsmasq");
        }
        Assert.Equal(isGood, DnsmasqHost.Read(value).Error is null);
    }

    private ImportReading Read(string text) => DnsmasqConfig.Read(Write(text));

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "dnsmasq.conf");
        File.WriteAllText(path, text);
        return path;
    }
}
