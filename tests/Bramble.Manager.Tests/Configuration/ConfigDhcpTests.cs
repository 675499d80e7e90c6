using Bramble.Boot.Dhcp;
using Bramble.Manager.Configuration;

namespace Bramble.Manager.Tests.Configuration;

/// <summary>Options, classes, relayed networks and the rest of DHCP in the configuration.</summary>
public sealed class ConfigDhcpTests
{
    private const string Head = """
        networks:
          - name: rack
            interface: eth1
            address: 10.77.0.1/24
            dhcp:
              pool: 10.77.0.100-10.77.0.199

        """;

    private static BrambleOptions Parse(string yaml) => ConfigLoader.Parse(yaml, "bramble.yaml");

    private static string Under(string text, int columns) =>
        string.Concat(text.Split('\n').Select(line => new string(' ', columns) + line + "\n"));

    [Fact]
    public void Everything_is_read()
    {
        var options = Parse(Head + Under("""
            lease: 2h
            lease_min: 10m
            lease_max: 1d
            bootp: true
            probe: arp
            probe_timeout: 200ms
            client_rate: 25
            options:
              - { option: domain-search, value: [rack.example, example] }
              - { option: 42, value: 10.77.0.9 }
              - { option: 224, type: hex, value: "0a 0b", always: true }
              - { option: 225, type: uint16, value: [1, 2] }
              - { option: router, omit: true }
            classes:
              - name: pxe-x64
                match:
                  vendor_class: PXEClient
                  user_class: iPXE
                  architecture: [7, 9]
                  mac: "52:54:00"
                  circuit_id: "0x0007"
                  remote_id: sw1
                options:
                  - { option: boot-file, value: snponly.efi }
            """, 6) + """
          - name: annex
            via: rack
            subnet: 10.1.0.0/24
            adopt: auto
            dhcp: { pool: 10.1.0.10-10.1.0.99, router: 10.1.0.254, probe: icmp }
        nodes:
          - mac: b8:27:eb:00:00:01
            name: shelf-3
            options: [{ option: mtu, value: 9000 }]
        lifecycle: { max_nodes: 100 }
        """);
        var rack = options.Networks[0];
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromDays(1)), (rack.LeaseMin, rack.LeaseMax));
        Assert.True(rack.Bootp);
        Assert.Equal((AddressProbe.Arp, TimeSpan.FromMilliseconds(200), 25),
            (rack.Probe, rack.ProbeTimeout, rack.ClientRate));
        Assert.Equal("network rack", rack.Options.Rule);
        Assert.Equal([119, 42, 224, 225, 3], rack.Options.Options.ToArray().Select(o => (int)o.Option));
        Assert.Equal("00010002", Convert.ToHexString(rack.Options.Options[3].Value.Span));
        Assert.True(rack.Options.Options[2].Always);
        Assert.True(rack.Options.Options[4].Omit);
        var pxe = Assert.Single(rack.Classes);
        Assert.Equal(("pxe-x64", "class pxe-x64"), (pxe.Name, pxe.Options.Rule));
        Assert.Equal([7, 9], pxe.Match.Architectures);
        Assert.Equal(new MacPrefix(0x525400, 3), pxe.Match.Mac);
        Assert.Equal("0007", Convert.ToHexString(pxe.Match.CircuitId.Span));
        var annex = options.Networks[1];
        Assert.Equal(("eth1", "10.77.0.1", "10.1.0.0/24", rack.HttpPort),
            (annex.Interface, annex.Address.Address.ToString(), annex.Prefix.ToString(), annex.HttpPort));
        Assert.Equal("http://10.77.0.1:8067", annex.BootUrl);
        Assert.Equal("node shelf-3", options.Nodes[0].Options!.Rule);
        Assert.Equal(100, options.Lifecycle.MaxNodes);

        var served = ManagerHost.ToDhcp(annex);
        Assert.Equal("10.1.0.0/24", served.Subnet.ToString());
        Assert.Equal("10.77.0.1", served.Server.Address.ToString());
        Assert.Equal(TimeSpan.FromDays(1), ManagerHost.ToDhcp(rack).LeaseMaximum);
    }

    [Theory]
    [InlineData("{ option: 53, value: 1 }", "option 53 (message-type) is the server's own to say")]
    [InlineData("{ option: relay-agent, value: 00 }", "option 82 (relay-agent) is the server's own to say")]
    [InlineData("{ option: lease-time, value: 60 }", "option 51 (lease-time) is the server's own to say")]
    [InlineData("{ option: subnet-mask, value: 255.0.0.0 }", "option 1 (subnet-mask) is the server's own to say")]
    [InlineData("{ option: 0, value: 1 }", "'0' is not an option's number from 1 to 254")]
    [InlineData("{ option: dnss, value: 1 }", "'dnss' is not an option's number from 1 to 254, or a name")]
    [InlineData("{ value: 1 }", "'option' is missing")]
    [InlineData("{ option: dns }", "dns: a value is missing")]
    [InlineData("{ option: dns, value: here }", "dns: 'here' is not an IPv4 address such as 10.0.0.1")]
    [InlineData("{ option: 224, value: 00 }", "option 224 has no name here, so 'type' must say what it is: hex")]
    [InlineData("{ option: 224, type: words, value: 00 }", "'words' is not one of hex, address")]
    [InlineData("{ option: dns, type: text, value: a }", "leave 'type' out")]
    [InlineData("{ option: dns, omit: true, value: 10.0.0.1 }", "has no value")]
    [InlineData("{ option: dns, value: 10.0.0.1, alwais: true }", "unknown key 'alwais'; did you mean 'always'?")]
    public void What_is_wrong_with_an_option_is_said_with_its_line(string option, string complaint)
    {
        var error = Assert.Single(Assert.Throws<ConfigException>(
            () => Parse(Head + Under($"options:\n  - {option}", 6))).Errors);
        Assert.Contains(complaint, error.Message);
        Assert.Equal(8, error.Line);
        Assert.True(error.Column > 8, $"column {error.Column}");
    }

    [Theory]
    [InlineData("options:\n  - { option: dns, value: 10.0.0.1 }\n  - { option: 6, value: 10.0.0.2 }", "given twice")]
    [InlineData("classes:\n  - { name: a, options: [] }", "'match' must say who belongs to the class")]
    [InlineData("classes:\n  - { name: a, match: { mac: '5' } }", "the first octets of a MAC address")]
    [InlineData("classes:\n  - { name: a, match: { architecture: x64 } }", "a number from 0 to 65535")]
    [InlineData("classes:\n  - { name: a, match: { mac: '52' } }\n  - { name: a, match: { mac: '54' } }",
        "two classes are named 'a'")]
    [InlineData("lease_min: 2h", "must not be longer than lease")]
    [InlineData("lease_max: 2m", "must not be shorter than lease")]
    [InlineData("probe: ping", "'ping' is not one of none, arp, icmp")]
    [InlineData("probe_timeout: 1s", "must lie between 20ms and 500ms")]
    [InlineData("client_rate: -1", "out of range")]
    public void What_is_wrong_with_a_network_is_said(string yaml, string complaint)
    {
        var error = Assert.Single(Assert.Throws<ConfigException>(() => Parse(Head + Under(yaml, 6))).Errors);
        Assert.Contains(complaint, error.Message);
    }

    [Theory]
    [InlineData("via: nowhere\nsubnet: 10.1.0.0/24\ndhcp: { pool: 10.1.0.10-10.1.0.99, router: 10.1.0.254 }",
        "there is no network 'nowhere'")]
    [InlineData("via: rack\nsubnet: 10.1.0.0/24\ndhcp: { pool: 10.1.0.10-10.1.0.99 }", "needs a 'router'")]
    [InlineData("via: rack\nsubnet: 10.1.0.0/24\ndhcp: { pool: 10.1.0.10-10.1.0.99, router: 10.9.0.1 }",
        "10.9.0.1 is not inside 10.1.0.0/24")]
    [InlineData("via: rack\nsubnet: 10.1.0.1/24\ndhcp: { pool: 10.1.0.10-10.1.0.99, router: 10.1.0.254 }",
        "the network itself is 10.1.0.0/24")]
    [InlineData("via: rack\ndhcp: { mode: reservations, router: 10.1.0.254 }", "'subnet' is missing")]
    [InlineData("via: rack\nsubnet: 10.77.0.0/25\ndhcp: { pool: 10.77.0.10-10.77.0.99, router: 10.77.0.126 }",
        "overlaps 'rack'")]
    [InlineData("via: rack\nsubnet: 10.1.0.0/24\ndhcp: { mode: proxy, router: 10.1.0.254 }",
        "is authoritative or for reservations")]
    [InlineData("via: rack\nsubnet: 10.1.0.0/24\ndhcp: { mode: reservations, router: 10.1.0.254, probe: arp }",
        "ARP does not reach")]
    [InlineData("via: rack\nsubnet: 10.1.0.0/24\ntftp: true\ndhcp: { mode: reservations, router: 10.1.0.254 }",
        "unknown key 'tftp'")]
    public void What_is_wrong_with_a_network_behind_a_relay_is_said(string yaml, string complaint)
    {
        var lines = yaml.Split('\n');
        var error = Assert.Single(Assert.Throws<ConfigException>(
            () => Parse(Head + "  - name: annex\n" + Under(yaml, 4))).Errors);
        Assert.Contains(complaint, error.Message);
        Assert.InRange(error.Line, 7, 7 + lines.Length);
    }
}
