using Bramble.Manager.Configuration;

namespace Bramble.Manager.Tests.Configuration;

/// <summary>
/// What is wrong with a configuration file is said with its line, all of it at once, before anything starts.
/// </summary>
public sealed class ConfigErrorsTests
{
    private const string Rack = """
        networks:
          - name: rack
            interface: eth1
            address: 10.77.0.1/24
            dhcp: { pool: 10.77.0.100-10.77.0.199 }

        """;

    private static IReadOnlyList<ConfigError> ErrorsOf(string yaml) =>
        Assert.Throws<ConfigException>(() => ConfigLoader.Parse(yaml, "bramble.yaml")).Errors;

    [Theory]
    [InlineData("cluster: a\nclutser: b\n", 2, "unknown key 'clutser'; did you mean 'cluster'?")]
    [InlineData("api:\n  listn: 127.0.0.1:1\n", 2, "api: unknown key 'listn'; did you mean 'listen'?")]
    [InlineData("watchdog:\n  whatever: 1\n", 2,
        "watchdog: unknown key 'whatever'; known here: enabled, off_time, tries")]
    [InlineData(Rack + "nodes:\n  - { mac: b8:27:eb:00:00:01, adress: 10.77.0.9 }\n", 7,
        "nodes[0]: unknown key 'adress'; did you mean 'address'?")]
    [InlineData("networks:\n  - name: a\n    interface: e\n    address: 10.0.0.1/24\n"
        + "    dhcp:\n      mode: off\n      pol: x\n",
        7, "networks[0].dhcp: unknown key 'pol'; did you mean 'pool'?")]
    public void An_unknown_key_is_an_error_with_its_line_and_what_may_have_been_meant(
        string yaml, int line, string message)
    {
        var error = Assert.Single(ErrorsOf(yaml));
        Assert.Equal((line, message), (error.Line, error.Message));
    }

    [Theory]
    [InlineData("state: here\n", 1, "state: 'here' must be an absolute path")]
    [InlineData("api: { listen: localhost }\n", 1, "'localhost' is not an address and port")]
    [InlineData("api: { listen: 127.0.0.1 }\n", 1, "'127.0.0.1' is not an address and port")]
    [InlineData("api:\n  listen: [127.0.0.1:1, 0.0.0.0:8760]\n", 2, "0.0.0.0:8760 is not a loopback address")]
    [InlineData("api: { listen: '[::]:8760' }\n", 1, "is not a loopback address")]
    [InlineData("api:\n  listen: 0.0.0.0:1\n  certificate: /a\n", 2, "'certificate' and 'key' go together")]
    [InlineData("install: { disk: /dev/../etc }\n", 1, "'/dev/../etc' is not a disk such as /dev/mmcblk0")]
    [InlineData("install: { tries: 0 }\n", 1, "install.tries: 0 is out of range; 1 to 100 is allowed")]
    [InlineData("install: { tries: many }\n", 1, "install.tries: 'many' is not a whole number")]
    [InlineData("install: { overwrite_used_disks: maybe }\n", 1, "'maybe' is not true or false")]
    [InlineData("install: { ssh_authorized_keys: [hello] }\n", 1, "'hello' is not an SSH public key")]
    [InlineData("install: [1, 2]\n", 1, "install: expected a section of 'key: value' lines")]
    [InlineData("lifecycle: { stall_after: 5 }\n", 1, "'5' is not a duration such as 90s")]
    [InlineData("lifecycle: { stall_after: 2d }\n", 1, "lifecycle.stall_after: must lie between 1s and 1d")]
    [InlineData("lifecycle: { report_interval: 2m }\n", 1, "lost_after: must be longer than report_interval")]
    [InlineData("watchdog: { off_time: -5s }\n", 1, "'-5s' is not a duration")]
    [InlineData("networks: { name: rack }\n", 1, "networks: expected a list, one '- ' line each")]
    [InlineData("networks: [rack]\n", 1, "networks[0]: expected a section of 'key: value' lines")]
    [InlineData("cluster: [a]\n", 1, "cluster: expected a text")]
    [InlineData("? [a, b]\n: c\n", 1, "a key must be a plain word")]
    [InlineData("hello\n", 1, "expected a section of 'key: value' lines")]
    [InlineData("power:\n  - { name: a, driver: dali }\n", 2, "'dali' is no driver; there are poe-snmp, exec, none")]
    [InlineData("power:\n  - { name: a, driver: exec }\n", 2, "'a' needs a 'command'")]
    [InlineData("power:\n  - { name: a, driver: poe-snmp, community_file: /c }\n", 2, "'a' needs a 'host'")]
    [InlineData("power:\n  - { name: a, driver: poe-snmp, host: h }\n", 2, "needs a 'community_file'")]
    [InlineData("power:\n  - { name: a, driver: poe-snmp, host: h, version: 3 }\n", 2, "needs a 'user'")]
    [InlineData("power:\n  - { name: a, driver: poe-snmp, host: h, version: 4 }\n", 2,
        "version '4' is none of 1, 2c, 3")]
    [InlineData("power:\n  - { driver: none }\n", 2, "power[0]: 'name' is missing")]
    [InlineData("power:\n  - { name: '', driver: none }\n", 2, "power[0].name: must not be empty")]
    public void A_bad_value_is_an_error_with_its_line_and_its_cause(string yaml, int line, string message)
    {
        var errors = ErrorsOf(yaml);
        Assert.Contains(errors, e => e.Line == line && e.Message.Contains(message, StringComparison.Ordinal));
        Assert.Equal(errors.Distinct().Count(), errors.Count);
    }

    [Theory]
    [InlineData("address: 10.0.0.0/24", "is the network's own or broadcast address")]
    [InlineData("address: 10.0.0.255/24", "is the network's own or broadcast address")]
    [InlineData("address: 10.0.0.1", "'10.0.0.1' is not our address with the network's length")]
    [InlineData("address: 10.0.0.1/31", "the length must lie between /8 and /30")]
    [InlineData("adopt: perhaps", "'perhaps' is not one of ask, auto, ignore")]
    [InlineData("adopt: 1", "'1' is not one of")]
    [InlineData("adopt: +1", "'+1' is not one of")]
    [InlineData("adopt: 'ask,ignore'", "'ask,ignore' is not one of")]
    [InlineData("http_port: 70000", "70000 is out of range; 1 to 65535 is allowed")]
    [InlineData("boot_tree: srv", "'srv' must be an absolute path")]
    [InlineData("dhcp: { pool: 10.0.0.9-10.0.0.2 }", "is not a range such as")]
    [InlineData("dhcp: { pool: 10.0.1.2-10.0.1.9 }", "10.0.1.2-10.0.1.9 is not inside 10.0.0.1/24")]
    [InlineData("dhcp: { pool: 10.0.0.1-10.0.0.9 }", "holds the manager's own address 10.0.0.1")]
    [InlineData("dhcp: { mode: authoritative }", "'rack' is authoritative and needs a 'pool'")]
    [InlineData("dhcp: { lease: 10s }", "lease: must lie between 1m and 365d")]
    [InlineData("dhcp: { mode: off, reservations: [{ mac: b8:27:eb:00:00:01, address: 10.0.9.1 }] }",
        "10.0.9.1 is not inside 10.0.0.1/24")]
    [InlineData("dhcp: { mode: off, reservations: [{ mac: b8:27:eb:00:00:01, address: 10.0.0.1 }] }",
        "10.0.0.1 is the manager's, the network's or the broadcast address")]
    [InlineData("dhcp: { mode: off, reservations: [{ mac: b8:27:eb:00:00:01 }] }", "'address' is missing")]
    [InlineData("dhcp: { mode: off, reservations: [{ mac: b8:27:eb:00:00:01, address: 10.0.0.5 }, "
        + "{ mac: b8:27:eb:00:00:02, address: 10.0.0.5 }] }", "10.0.0.5 is reserved twice")]
    [InlineData("dhcp: { mode: off, reservations: [{ mac: b8:27:eb:00:00:01, address: 10.0.0.5 }, "
        + "{ mac: b8:27:eb:00:00:01, address: 10.0.0.6 }] }", "b8:27:eb:00:00:01 has two reservations")]
    public void A_bad_value_in_a_network_is_named(string line, string message)
    {
        var lines = new List<string> { "networks:", "  - name: rack", "    interface: eth1" };
        if (!line.StartsWith("address", StringComparison.Ordinal)) lines.Add("    address: 10.0.0.1/24");
        if (!line.StartsWith("dhcp", StringComparison.Ordinal)) lines.Add("    dhcp: { mode: off }");
        lines.Add("    " + line);
        var errors = ErrorsOf(string.Join('\n', lines) + "\n");
        Assert.Contains(errors, e => e.Line == lines.Count && e.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_network_without_dhcp_is_told_so_at_its_own_line()
    {
        var error = Assert.Single(
            ErrorsOf("networks:\n  - name: rack\n    interface: eth1\n    address: 10.0.0.1/24\n"));
        Assert.Equal(2, error.Line);
        Assert.Contains("needs a 'pool' under 'dhcp'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.1/24", "10.0.0.200/25")]
    [InlineData("10.0.0.1/8", "10.200.0.1/16")]
    [InlineData("10.200.0.1/16", "10.0.0.1/8")]
    [InlineData("10.0.0.1/24", "10.0.0.1/24")]
    public void Two_overlapping_networks_are_refused(string first, string second)
    {
        var errors = ErrorsOf($"""
            networks:
              - name: a
                interface: eth1
                address: {first}
                dhcp: {"{ mode: off }"}
              - name: b
                interface: eth2
                address: {second}
                dhcp: {"{ mode: off }"}
            """);
        var error = Assert.Single(errors);
        Assert.Equal((6, $"networks: 'b' ({second}) overlaps 'a' ({first})"), (error.Line, error.Message));
    }

    [Fact]
    public void Networks_that_only_touch_are_fine()
    {
        var options = ConfigLoader.Parse("""
            networks:
              - { name: a, interface: eth1, address: 10.0.0.1/24, dhcp: { mode: off } }
              - { name: b, interface: eth2, address: 10.0.1.1/24, dhcp: { mode: off } }
            """, "x");
        Assert.Equal(2, options.Networks.Count);
    }

    [Theory]
    [InlineData("{ name: rack, interface: e2, address: 10.1.0.1/24, dhcp: { mode: off } }", "networks",
        "two networks are named 'rack'")]
    [InlineData("{ name: other, interface: eth1, address: 10.1.0.1/24, dhcp: { mode: off } }", "networks",
        "'other' and 'rack' share the interface eth1")]
    [InlineData("{ name: sw, driver: none }", "power", "two devices are named 'sw'")]
    [InlineData("{ mac: b8-27-EB-00-00-01 }", "nodes", "b8:27:eb:00:00:01 is listed twice")]
    [InlineData("{ mac: b8:27:eb:00:00:02, name: pi }", "nodes", "two nodes are named 'pi'")]
    [InlineData("{ mac: b8:27:eb:00:00:02, number: 4 }", "nodes", "two nodes have the number 4")]
    [InlineData("{ mac: b8:27:eb:00:00:02, address: 10.77.0.20 }", "nodes", "10.77.0.20 is given to two nodes")]
    [InlineData("{ mac: b8:27:eb:00:00:02, address: 10.99.0.20 }", "nodes", "10.99.0.20 lies in none of the networks")]
    [InlineData("{ mac: b8:27:eb:00:00:02, address: 10.77.0.1 }", "nodes",
        "10.77.0.1 is the manager's, the network's or the broadcast address")]
    [InlineData("{ mac: b8:27:eb:00:00:02, name: Pi_2 }", "nodes", "'Pi_2' is no host name")]
    [InlineData("{ mac: b8:27:eb:00:00:02, name: '7' }", "nodes", "'7' is no host name")]
    [InlineData("{ mac: b8:27:eb:00:00:02, power_device: sw9 }", "nodes",
        "power_device 'sw9' is not listed under 'power'")]
    [InlineData("{ mac: b8:27:eb:00:00:02, power_port: 1 }", "nodes", "power_port without power_device")]
    [InlineData("{ mac: not-a-mac }", "nodes", "'not-a-mac' is not a MAC address")]
    [InlineData("{ name: pi3 }", "nodes", "'mac' is missing")]
    public void What_contradicts_another_entry_is_refused_at_its_line(string entry, string list, string message)
    {
        string[] lists = ["networks", "power", "nodes"];
        var first = new Dictionary<string, string>
        {
            ["networks"] = "{ name: rack, interface: eth1, address: 10.77.0.1/24, dhcp: { mode: off } }",
            ["power"] = "{ name: sw, driver: none }",
            ["nodes"] = "{ mac: b8:27:eb:00:00:01, name: pi, number: 4, address: 10.77.0.20 }",
        };
        var lines = new List<string>();
        var at = 0;
        foreach (var name in lists)
        {
            lines.Add($"{name}:");
            lines.Add($"  - {first[name]}");
            if (name != list) continue;
            lines.Add($"  - {entry}");
            at = lines.Count;
        }
        var error = Assert.Single(ErrorsOf(string.Join('\n', lines) + "\n"));
        Assert.Equal(at, error.Line);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file()
    {
        const string yaml = """
            clutser: a
            install:
              tries: 0
            watchdog:
              enabled: perhaps
            power:
              - { name: a, driver: dali }
            """;
        var e = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(yaml, "/etc/b.yaml"));
        Assert.Equal([1, 3, 5, 7], e.Errors.Select(error => error.Line));
        Assert.All(e.Message.Split('\n'), line =>
            Assert.StartsWith("/etc/b.yaml: line ", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a: [b\n")]
    [InlineData("a: b: c\n")]
    [InlineData("install: { tries: 3, disk\n")]
    [InlineData("cluster: a\ncluster: b\n")]
    [InlineData("a: *nothing\n")]
    [InlineData("a: \"\0\"\n")]
    public void What_is_not_yaml_is_named_as_such(string yaml)
    {
        var error = Assert.Single(ErrorsOf(yaml));
        Assert.StartsWith("not YAML: ", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Line, 1, 3);
    }

    [Fact]
    public void A_second_document_is_not_silently_left_out()
    {
        var error = Assert.Single(ErrorsOf("cluster: a\n---\nclutser: b\n"));
        Assert.Contains("one document", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, error.Line);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20_261_120)]
    public void Random_bytes_only_ever_end_in_errors(int seed)
    {
        var random = new Random(seed);
        var golden = Rack + "nodes:\n  - { mac: b8:27:eb:00:00:01, labels: { a: b } }\n"
            + "install: { tries: 3, disk: only sd }\n";
        for (var round = 0; round < 500; round++)
        {
            var text = golden.ToCharArray();
            for (var i = random.Next(1, 6); i > 0; i--) text[random.Next(text.Length)] = (char)random.Next(1, 256);
            try
            {
                ConfigLoader.Parse(new string(text), "x");
            }
            catch (ConfigException)
            {
                // The one exception that it may throw.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}\n{new string(text)}");
            }
        }
    }
}
