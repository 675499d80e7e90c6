using Bramble.Manager.Configuration;

namespace Bramble.Manager.Tests.Configuration;

/// <summary>What the file says of names and of the way out, and what follows for DHCP.</summary>
public sealed class DnsSectionTests
{
    private const string Rack = "networks: [{name: rack, interface: eth1, address: 10.77.0.1/24, "
        + "dhcp: {pool: 10.77.0.100-10.77.0.199DHCP}MORE}]\n";

    [Fact]
    public void Names_are_served_where_we_are_the_dhcp_server_and_clients_are_told_so()
    {
        var options = Read(Network());
        var network = options.Networks[0];
        Assert.True(network.ServesNames);
        Assert.Equal(["10.77.0.1"], network.Dns.Select(a => a.ToString()));
        Assert.Equal(("bramble.internal", "bramble.internal", true, 9100),
            (network.Domain, options.Dns.Domain, options.Dns.ForwardToSystem, options.Dns.MetricsPort));
    }

    [Fact]
    public void Servers_and_a_domain_of_the_operator_s_are_left_as_they_are()
    {
        var network = Read(Network(dhcp: ", dns: [9.9.9.9], domain: rack.example")).Networks[0];
        Assert.True(network.ServesNames);
        Assert.Equal(("9.9.9.9", "rack.example"), (Assert.Single(network.Dns).ToString(), network.Domain));
        Assert.Equal("rack.example", Read(Network(dhcp: ", domain: rack.example")).Networks[0].Domain);
    }

    [Fact]
    public void Names_are_switched_off_for_all_or_for_one_network_and_are_off_beside_another_dhcp_server()
    {
        foreach (var yaml in new[]
        {
            "dns: {enabled: false}\n" + Network(), Network(", dns: false"), Network(dhcp: ", mode: proxy"),
        })
        {
            var network = Read(yaml).Networks[0];
            Assert.False(network.ServesNames);
            Assert.Empty(network.Dns);
            Assert.Equal("", network.Domain);
        }
        Assert.True(Read(Network(", dns: true", ", mode: proxy")).Networks[0].ServesNames);
    }

    [Fact]
    public void Every_key_of_names_is_read()
    {
        var dns = Read("dns: {zone: Rack.Example, forward: [192.0.2.1, '192.0.2.2:5353', 'fd00::1', '[fd00::2]:54', "
            + "system], listen: ['127.0.0.2:5353'], metrics_port: 9200}\n" + Network()).Dns;
        Assert.Equal("Rack.Example", dns.Domain);
        Assert.Equal(["192.0.2.1:53", "192.0.2.2:5353", "[fd00::1]:53", "[fd00::2]:54"],
            dns.Forward.Select(server => server.ToString()));
        Assert.Equal(("127.0.0.2:5353", true, 9200),
            (Assert.Single(dns.Listen).ToString(), dns.ForwardToSystem, dns.MetricsPort));
        Assert.False(Read("dns: {forward: [192.0.2.1]}\n" + Network()).Dns.ForwardToSystem);
        Assert.False(Read("dns: {forward: []}\n" + Network()).Dns.ForwardToSystem);
    }

    [Fact]
    public void A_gateway_is_off_unless_asked_for_and_is_then_the_router()
    {
        Assert.Equal((null, null), (Read(Network()).Networks[0].Gateway, Read(Network()).Networks[0].Router));
        var network = Read(Network(", gateway: {uplink: eth0}")).Networks[0];
        Assert.Equal(("eth0", "10.77.0.1"), (network.Gateway!.Uplink, network.Router.ToString()));
        Assert.Null(Read(Network(", gateway: {uplink: auto}")).Networks[0].Gateway!.Uplink);
        var named = Read(Network(", gateway: {uplink: eth0}", ", router: 10.77.0.254")).Networks[0];
        Assert.Equal("10.77.0.254", named.Router.ToString());
    }

    [Theory]
    [InlineData("dns: {zone: rack.local}\n", "multicast")]
    [InlineData("dns: {zone: 77.10.in-addr.arpa}\n", "kept for addresses")]
    [InlineData("dns: {zone: 'a b'}\n", "is not a domain")]
    [InlineData("dns: {zone: .}\n", "is not a domain")]
    [InlineData("dns: {zone: -a.internal}\n", "is not a domain")]
    [InlineData("dns: {forward: [resolver.example]}\n", "is not 'system', or the address")]
    [InlineData("dns: {forward: ['1.2']}\n", "is not 'system', or the address")]
    [InlineData("dns: {forward: ['1.2.3.4:0']}\n", "is not 'system', or the address")]
    [InlineData("dns: {forward: [10.77.0.1]}\n", "go in circles")]
    [InlineData("dns: {listen: ['[::1]:53']}\n", "not an IPv4 address")]
    [InlineData("dns: {metrics_port: 0}\n", "out of range")]
    [InlineData("dns: {forwarders: []}\n", "unknown key 'forwarders'")]
    public void What_cannot_be_is_an_error(string dns, string message) => Fails(dns + Network(), message);

    [Theory]
    [InlineData(", gateway: {}", "'uplink' is missing")]
    [InlineData(", gateway: {uplink: eth1}", "is the boot network's own interface")]
    [InlineData(", gateway: {uplink: a-name-of-sixteen}", "cannot be the name of an interface")]
    [InlineData(", gateway: {uplink: 'a\"b'}", "cannot be the name of an interface")]
    [InlineData(", gateway: {uplink: ..}", "cannot be the name of an interface")]
    [InlineData(", gateway: {interface: eth0}", "unknown key 'interface'")]
    public void A_gateway_that_cannot_be_is_an_error(string gateway, string message) =>
        Fails(Network(gateway), message);

    private static string Network(string more = "", string dhcp = "") =>
        Rack.Replace("DHCP", dhcp, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal);

    private static BrambleOptions Read(string yaml) => ConfigLoader.Parse(yaml, "bramble.yaml");

    private static void Fails(string yaml, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigException>(() => Read(yaml)).Message, StringComparison.Ordinal);
}
