using Bramble.Manager.Configuration;
using Bramble.Wire;

namespace Bramble.Manager.Tests.Configuration;

/// <summary>What a configuration file says is what the daemon gets, key by key.</summary>
public sealed class ConfigLoaderTests
{
    private const string Everything = """
        cluster: attic
        state: /srv/bramble
        log_file: /var/log/brambled.log
        api:
          listen: ["0.0.0.0:8760", "unix:/run/bramble/api.sock"]
          certificate: /etc/bramble/api.pem
          key: /etc/bramble/api.key
        networks:
          - name: rack
            interface: eth1
            address: 10.77.0.1/24
            adopt: auto
            dhcp:
              mode: authoritative
              pool: [10.77.0.100-10.77.0.149, 10.77.0.160 - 10.77.0.199]
              router: 10.77.0.254
              dns: [10.77.0.53, 9.9.9.9]
              domain: rack.example
              lease: 12h
              pi3_delay: 1500ms
              reservations:
                - mac: b8:27:eb:00:00:01
                  address: 10.77.0.11
            tftp: false
            time: false
            http_port: 8080
            boot_tree: /srv/tftp
          - name: bench
            interface: eth2
            address: 10.78.0.1/16
            adopt: ignore
            dhcp: { mode: proxy }
        install:
          image: debian
          disk: only sd >= 4GB
          overwrite_used_disks: true
          ssh_authorized_keys:
            - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@home
          overlay: /etc/bramble/overlay
          boot_templates: /etc/bramble/boot
          kernel_arguments: cgroup_enable=memory
          tries: 5
        lifecycle:
          report_interval: 10s
          lost_after: 1m
          stall_after: 4m
        watchdog:
          enabled: false
          tries: 7
          off_time: 2.5s
        power:
          - name: sw1
            driver: poe-snmp
            host: 10.0.0.2
            port: 1161
            version: "3"
            user: bramble
            auth_protocol: sha-256
            auth_password_file: /etc/bramble/auth
            priv_protocol: aes
            priv_password_file: /etc/bramble/priv
            group: 2
            port_offset: 10100
            timeout: 3s
            retries: 4
          - { name: old, driver: poe-snmp, host: sw2, version: 1, community_file: /etc/bramble/community }
          - name: relay
            driver: exec
            command: [/usr/local/bin/relay, "{port}", "{action}"]
          - { name: hand, driver: none }
        nodes:
          - mac: b8:27:eb:00:00:02
            name: pi-02
            number: 2
            address: 10.77.0.12
            image: raspios
            disk: /dev/mmcblk0
            power_device: sw1
            power_port: "7"
            labels: { role: worker, row: "3" }
        """;

    private static BrambleOptions Read(string yaml) => ConfigLoader.Parse(yaml, "bramble.yaml");

    [Fact]
    public void Every_key_is_read()
    {
        var o = Read(Everything);
        Assert.Equal(("attic", "/srv/bramble", "/var/log/brambled.log"), (o.Cluster, o.StateDirectory, o.LogFile));
        Assert.Equal(["0.0.0.0:8760", "unix:/run/bramble/api.sock"], o.Api.Listen);
        Assert.Equal(("/etc/bramble/api.pem", "/etc/bramble/api.key"), (o.Api.CertificateFile, o.Api.KeyFile));
        Assert.Equal(("debian", "only sd >= 4GB", true), (o.Install.Image, o.Install.Disk.ToString(),
            o.Install.OverwriteUsedDisks));
        Assert.Equal(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@home"], o.Install.SshAuthorizedKeys);
        Assert.Equal(("/etc/bramble/overlay", "/etc/bramble/boot", "cgroup_enable=memory", 5),
            (o.Install.OverlayDirectory, o.Install.BootTemplates, o.Install.KernelArguments, o.Install.Tries));
        Assert.Equal((10, 60, 240), (o.Lifecycle.ReportInterval.TotalSeconds, o.Lifecycle.LostAfter.TotalSeconds,
            o.Lifecycle.StallAfter.TotalSeconds));
        Assert.Equal(new WatchdogOptions { Enabled = false, Tries = 7, OffTime = TimeSpan.FromSeconds(2.5) },
            o.Watchdog);
    }

    [Fact]
    public void Every_key_of_a_network_is_read()
    {
        var networks = Read(Everything).Networks;
        var rack = networks[0];
        Assert.Equal(("rack", "eth1", "10.77.0.1/24"), (rack.Name, rack.Interface, rack.Address.ToString()));
        Assert.Equal((AdoptPolicy.Auto, DhcpServiceMode.Authoritative), (rack.Adopt, rack.Dhcp));
        Assert.Equal(["10.77.0.100-10.77.0.149", "10.77.0.160-10.77.0.199"],
            rack.Pool.Select(range => $"{range.First}-{range.Last}"));
        Assert.Equal("10.77.0.254", rack.Router.ToString());
        Assert.Equal(["10.77.0.53", "9.9.9.9"], rack.Dns.Select(dns => dns.ToString()));
        Assert.Equal(("rack.example", 12, 1.5), (rack.Domain, rack.Lease.TotalHours, rack.Pi3Delay.TotalSeconds));
        Assert.Equal([(MacAddress.Parse("b8:27:eb:00:00:01"), IPv4Address.Parse("10.77.0.11"))],
            rack.Reservations.Select(r => (r.Key, r.Value)));
        Assert.Equal((false, false, 8080, "/srv/tftp"), (rack.Tftp, rack.Time, rack.HttpPort, rack.BootTree));
        Assert.Equal("http://10.77.0.1:8080", rack.BootUrl);
        Assert.Equal((AdoptPolicy.Ignore, DhcpServiceMode.Proxy), (networks[1].Adopt, networks[1].Dhcp));
    }

    [Fact]
    public void Every_key_of_a_power_device_and_of_a_node_is_read()
    {
        var o = Read(Everything);
        var sw1 = o.PowerDevices[0];
        Assert.Equal(("sw1", "poe-snmp", "10.0.0.2", 1161, "3", "bramble"),
            (sw1.Name, sw1.Driver, sw1.Host, sw1.Port, sw1.Version, sw1.User));
        Assert.Equal(("sha-256", "/etc/bramble/auth", "aes", "/etc/bramble/priv"),
            (sw1.AuthProtocol, sw1.AuthPasswordFile, sw1.PrivProtocol, sw1.PrivPasswordFile));
        Assert.Equal((2, 10100, 4), (sw1.Group, sw1.PortOffset, sw1.Retries));
        Assert.Equal(TimeSpan.FromSeconds(3), sw1.Timeout);
        Assert.Equal(("1", "/etc/bramble/community"), (o.PowerDevices[1].Version, o.PowerDevices[1].CommunityFile));
        Assert.Equal(["/usr/local/bin/relay", "{port}", "{action}"], o.PowerDevices[2].Command);
        var node = Assert.Single(o.Nodes);
        Assert.Equal(("b8:27:eb:00:00:02", "pi-02", 2, "10.77.0.12"),
            (node.Mac.ToString(), node.Name, node.Number, node.Address.ToString()));
        Assert.Equal(("raspios", "/dev/mmcblk0", "sw1", "7"),
            (node.Image, node.Disk!.ToString(), node.PowerDevice, node.PowerPort));
        Assert.Equal("role=worker row=3", string.Join(' ', node.Labels.Select(l => $"{l.Key}={l.Value}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("# nothing but a remark\n")]
    [InlineData("networks:\nnodes:\npower:\n")]
    public void An_empty_file_means_the_defaults(string yaml)
    {
        var o = Read(yaml);
        Assert.Equal("/var/lib/bramble", o.StateDirectory);
        Assert.Equal(["127.0.0.1:8760", "unix:/run/bramble/api.sock"], o.Api.Listen);
        Assert.Empty(o.Networks);
        Assert.Equal((30, 100, 180), (o.Lifecycle.ReportInterval.TotalSeconds, o.Lifecycle.LostAfter.TotalSeconds,
            o.Lifecycle.StallAfter.TotalSeconds));
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_a_directory_is_named()
    {
        using var scratch = new Scratch();
        var gone = Assert.Throws<ConfigException>(() => ConfigLoader.Load(scratch["nothing.yaml"]));
        Assert.StartsWith($"{scratch["nothing.yaml"]}: cannot be read: ", gone.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("line 0", gone.Message, StringComparison.Ordinal);
        var directory = Assert.Throws<ConfigException>(() => ConfigLoader.Load(scratch.Root));
        Assert.Equal($"{scratch.Root}: is a directory; name the file in it", directory.Message);
    }

    [Fact]
    public void A_readable_file_is_read()
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["b.yaml"], "cluster: attic\n");
        Assert.Equal("attic", ConfigLoader.Load(scratch["b.yaml"]).Cluster);
    }
}
