using Bramble.Manager.Power;
using Bramble.Manager.Power.Snmp;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Power;

/// <summary>The driver against net-snmp's snmpd, dressed up as a PoE switch of five ports.</summary>
public sealed class PoeSwitchDriverTests : IAsyncLifetime
{
    private const string Configuration = """
        rocommunity public 127.0.0.1
        rwcommunity private 127.0.0.1
        rwcommunity private@3 127.0.0.1
        createUser md5des MD5 maplesyrup DES mapletree
        createUser shaaes SHA maplesyrup AES mapletree
        createUser sha256 SHA-256 maplesyrup AES mapletree
        createUser sha512 SHA-512 maplesyrup
        rwuser md5des priv
        rwuser shaaes auth
        rwuser sha256 priv
        rwuser sha512 auth
        sysName sw1
        override -rw .1.3.6.1.2.1.105.1.1.1.3.1.1 integer 1
        override -rw .1.3.6.1.2.1.105.1.1.1.3.1.2 integer 2
        override -rw .1.3.6.1.2.1.105.1.1.1.3.1.3 integer 1
        override     .1.3.6.1.2.1.105.1.1.1.3.1.4 integer 1
        override -rw .1.3.6.1.2.1.105.1.1.1.3.1.5 integer 1
        override .1.3.6.1.2.1.105.1.1.1.6.1.1 integer 3
        override .1.3.6.1.2.1.105.1.1.1.6.1.2 integer 1
        override .1.3.6.1.2.1.105.1.1.1.6.1.3 integer 4
        override .1.3.6.1.2.1.105.1.1.1.6.1.4 integer 2
        override .1.3.6.1.2.1.17.4.3.1.2.184.39.235.1.2.3 integer 33
        override .1.3.6.1.2.1.17.1.4.1.2.33 integer 10103
        override .1.3.6.1.2.1.17.7.1.2.2.1.2.1.184.39.235.1.2.4 integer 4
        override .1.3.6.1.2.1.17.7.1.2.2.1.2.7.184.39.235.1.2.5 integer 1
        override .1.3.6.1.2.1.17.4.3.1.2.184.39.235.1.2.6 integer 49

        """;

    private readonly NetSnmp _tools = new();
    private SnmpDaemon? _daemon;

    public static TheoryData<string, string, string, string> Ways() => new()
    {
        { "1", "private", "", "" },
        { "2c", "private", "", "" },
        { "2c", "private@3", "", "" },
        { "3", "shaaes", "sha", "none" },
        { "3", "shaaes", "sha", "aes" },
        { "3", "md5des", "md5", "des" },
        { "3", "sha256", "sha-256", "aes" },
        { "3", "sha512", "sha-512", "none" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (NetSnmp.DaemonMissing is { } why) Assert.Skip(why);
        _daemon = await _tools.StartDaemonAsync(Configuration);
    }

    public ValueTask DisposeAsync()
    {
        _daemon?.Dispose();
        _tools.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_reads_switches_and_finds_by_each_version_and_level(
        string version, string secret, string authentication, string privacy)
    {
        using var driver = Driver(
            Options(version, secret) with { AuthProtocol = authentication, PrivProtocol = privacy });
        Assert.True(driver.CanFind);
        Assert.Equal((PowerState.On, "delivering power"), await Read(driver, "1"));
        Assert.Equal((PowerState.Off, "off"), await Read(driver, "2"));
        await driver.SetAsync(new PowerPort("sw1", "2"), on: true, Cancellation);
        await driver.SetAsync(new PowerPort("sw1", "1"), on: false, Cancellation);
        Assert.Equal(PowerState.Off, (await Read(driver, "1")).State);
        Assert.Equal((PowerState.Off, "enabled, but the switch keeps the port disabled"), await Read(driver, "2"));
        Assert.Equal(PowerState.Fault, (await Read(driver, "3")).State);
        Assert.Equal((PowerState.On, "on; no powered device is detected"), await Read(driver, "4"));
        // This one leaves the detection status out.
        Assert.Equal((PowerState.On, "on; the switch does not tell whether power flows"), await Read(driver, "5"));

        Assert.Equal(new PowerPort("sw1", "3"),
            await driver.FindAsync(MacAddress.Parse("b8:27:eb:01:02:03"), Cancellation));
        Assert.Null(await driver.FindAsync(MacAddress.Parse("b8:27:eb:01:02:99"), Cancellation));
    }

    [Fact]
    public async Task An_address_is_found_in_the_VLAN_aware_table_too()
    {
        using var driver = Driver(Options("2c", "public") with { PortOffset = 0 });
        Assert.Equal("4", (await driver.FindAsync(MacAddress.Parse("b8:27:eb:01:02:04"), Cancellation))?.Port);
        Assert.Equal("1", (await driver.FindAsync(MacAddress.Parse("b8:27:eb:01:02:05"), Cancellation))?.Port);
    }

    [Fact]
    public async Task An_address_behind_a_port_that_feeds_nothing_is_no_board_of_this_switch()
    {
        using var driver = Driver(Options("2c", "private") with { PortOffset = 0 });
        Assert.Null(await driver.FindAsync(MacAddress.Parse("b8:27:eb:01:02:06"), Cancellation));
    }

    [Theory]
    [InlineData("2c", "public", "1", "it refused the SET: noAccess; does this community have the right to write?")]
    [InlineData("2c", "private", "4", "it refused the SET: notWritable; is there such a port")]
    [InlineData("1", "private", "4", "it refused the SET: noSuchName; is there such a port")]
    [InlineData("2c", "private", "zero", "'zero' is no port number")]
    [InlineData("3", "nobody", "1", "it knows no SNMPv3 user nobody")]
    public async Task A_refusal_is_told_in_words(string version, string secret, string port, string message)
    {
        using var driver = Driver(Options(version, secret) with { AuthProtocol = "sha", PrivProtocol = "none" });
        var failure = await Assert.ThrowsAsync<PowerException>(
            () => driver.SetAsync(new PowerPort("sw1", port), on: false, Cancellation));
        Assert.StartsWith("switch sw1", failure.Message, StringComparison.Ordinal);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shaaes", "sha", "wrongpassword", "none", "", "the authentication password or protocol is not the one")]
    [InlineData("shaaes", "md5", "maplesyrup", "none", "", "the authentication password or protocol is not the one")]
    [InlineData("sha512", "sha-512", "maplesyrup", "aes", "mapletree", "it has no privacy password for this user")]
    [InlineData("md5des", "md5", "maplesyrup", "none", "", "authorizationError; does this user have the right?")]
    [InlineData("shaaes", "sha", "maplesyrup", "aes", "wrongpassword", "privacy password")]
    public async Task A_wrong_password_is_told_in_words_and_not_shown(
        string user, string authentication, string password, string privacy, string privacyPassword, string message)
    {
        using var driver = Driver(Options("3", user) with
        {
            AuthProtocol = authentication,
            AuthPassword = password,
            PrivProtocol = privacy,
            PrivPassword = privacyPassword,
            Timeout = TimeSpan.FromSeconds(2),
            Retries = 0,
        });
        var failure = await Assert.ThrowsAsync<PowerException>(
            () => driver.ReadAsync(new PowerPort("sw1", "1"), Cancellation));
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_community_looks_like_silence_and_the_message_says_so()
    {
        using var driver = Driver(Options("2c", "guess") with { Timeout = TimeSpan.FromMilliseconds(50), Retries = 2 });
        var failure = await Assert.ThrowsAsync<PowerException>(
            () => driver.ReadAsync(new PowerPort("sw1", "1"), Cancellation));
        Assert.StartsWith("switch sw1 at 127.0.0.1: cannot read: no answer to SNMP in 3 tries", failure.Message,
            StringComparison.Ordinal);
        Assert.Contains("a wrong community", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_the_switch_lacks_is_named()
    {
        using var driver = Driver(Options("2c", "private"));
        var failure = await Assert.ThrowsAsync<PowerException>(
            () => driver.ReadAsync(new PowerPort("sw1", "77"), Cancellation));
        Assert.Contains("has no PoE port 77 in group 1", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2c")]
    [InlineData("3")]
    public async Task A_walk_is_that_of_snmpwalk(string version)
    {
        if (NetSnmp.ToolsMissing is { } why) Assert.Skip(why);
        var options = Options(version, version == "3" ? "sha512" : "public") with { AuthProtocol = "sha-512" };
        using var client = new SnmpClient(SnmpTarget.From(options), TimeProvider.System);
        var rows = await client.WalkAsync(ObjectId.Parse("1.3.6.1.2.1.105"), Cancellation);
        var (_, output, _) = await _tools.RunAsync("snmpwalk", "-v2c", "-c", "public", _daemon!.EndPoint.ToString(),
            ".1.3.6.1.2.1.105");
        Assert.Equal(output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.Contains("No more")),
            rows.Select(r => $".{r.Name} = {r.Value}"));
        Assert.Equal(9, rows.Count);
    }

    private static async Task<(PowerState State, string Detail)> Read(IPowerDriver driver, string port)
    {
        var reading = await driver.ReadAsync(new PowerPort("sw1", port), Cancellation);
        return (reading.State, reading.Detail);
    }

    private static IPowerDriver Driver(PoeSwitchOptions options) =>
        PowerDrivers.Create(options, TimeProvider.System, NullLoggerFactory.Instance);

    private PoeSwitchOptions Options(string version, string secret) => new()
    {
        Name = "sw1",
        Host = "127.0.0.1",
        Port = _daemon!.EndPoint.Port,
        Version = version,
        Community = version == "3" ? "" : secret,
        User = version == "3" ? secret : "",
        AuthPassword = "maplesyrup",
        PrivPassword = "mapletree",
        PortOffset = 10100,
        Timeout = TimeSpan.FromSeconds(3),
    };
}
