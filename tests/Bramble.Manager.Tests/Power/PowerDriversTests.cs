using Bramble.Manager.Power;
using Bramble.Manager.Power.Drivers;
using Bramble.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Power;

public sealed class PowerDriversTests
{
    private static readonly PowerPort Port = new("relays", "3");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void A_device_shows_no_secret()
    {
        var poe = new PoeSwitchOptions
        {
            Name = "sw1",
            Host = "10.0.0.2",
            Community = "secret1",
            FindCommunity = "secret2",
            AuthPassword = "secret3",
            PrivPassword = "secret4",
        };
        Assert.Equal("poe-snmp sw1 at 10.0.0.2:161 by SNMP v2c", poe.ToString());
        Assert.Equal("exec relays by curl",
            new ExecOptions { Name = "relays", Command = ["curl", "--user", "secret"] }.ToString());
    }

    [Theory]
    [InlineData("2c", "", "", "", "SNMP version 2c needs a community")]
    [InlineData("4", "x", "", "", "'4' is no SNMP version")]
    [InlineData("3", "", "rot13", "none", "'rot13' is no SNMP authentication")]
    [InlineData("3", "", "sha", "rot13", "'rot13' is no SNMP privacy")]
    [InlineData("3", "", "none", "aes", "privacy needs authentication")]
    [InlineData("3", "", "sha", "none", "fewer than 8 characters")]
    public void A_switch_that_is_configured_wrong_is_refused_before_anything_starts(
        string version, string community, string authentication, string privacy, string complaint)
    {
        var failure = Assert.Throws<PowerException>(() => PowerDrivers.Create(new PoeSwitchOptions
        {
            Name = "sw1",
            Host = "10.0.0.2",
            Version = version,
            Community = community,
            User = "operator",
            AuthProtocol = authentication,
            AuthPassword = "short",
            PrivProtocol = privacy,
        }, TimeProvider.System, NullLoggerFactory.Instance));
        Assert.StartsWith("switch sw1: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(complaint, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{action}-{port}-{node}", "on-3-pi3")]
    [InlineData("{port}{port}", "33")]
    [InlineData("{other} {", "{other} {")]
    [InlineData("plain", "plain")]
    public void An_argument_is_filled_in(string argument, string filled) =>
        Assert.Equal(filled, PowerArguments.Fill(argument, "3", "on", "pi3"));

    [Fact]
    public void What_is_put_in_is_not_filled_again() =>
        Assert.Equal("{node}", PowerArguments.Fill("{port}", "{node}", "on", "pi3"));

    [Fact]
    public async Task A_program_is_run_with_each_argument_apart_and_never_by_a_shell()
    {
        var file = Path.Combine(Path.GetTempPath(), $"bramble-exec-{Guid.NewGuid():N}");
        var evil = new PowerPort("relays", "3; touch x");
        using var driver = Exec(["/bin/sh", "-c", "printf '%s|' \"$@\" > \"$0\"", file, "{port}", "{action}", "{node}"],
            nodeAt: p => p == evil ? "pi three" : null);
        try
        {
            await driver.SetAsync(evil, on: false, Cancellation);
            Assert.Equal("3; touch x|off|pi three|", await File.ReadAllTextAsync(file, Cancellation));
            Assert.False(driver.CanFind);
            Assert.Null(await driver.FindAsync(MacAddress.Broadcast, Cancellation));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("on", PowerState.On, null)]
    [InlineData("OFF\n", PowerState.Off, null)]
    [InlineData("on 4.25 W", PowerState.On, 4.25)]
    [InlineData("fault short circuit", PowerState.Fault, null)]
    [InlineData("unknown", PowerState.Unknown, null)]
    public async Task Its_status_is_what_it_prints(string printed, PowerState state, double? watts)
    {
        using var driver = Exec(["/bin/sh", "-c", "[ \"$1\" = status ] && printf '%s' \"$0\"", printed, "{action}"]);
        var reading = await driver.ReadAsync(Port, Cancellation);
        Assert.Equal((state, watts), (reading.State, reading.Watts));
    }

    [Fact]
    public async Task A_program_that_fails_hangs_is_missing_or_babbles_is_named_with_its_own_last_words()
    {
        using var failing = Exec(["/bin/sh", "-c", "echo relay board not found >&2; exit 4", "{action}"]);
        Assert.Equal("power device relays: /bin/sh on of port 3 failed with exit code 4: relay board not found",
            (await Assert.ThrowsAsync<PowerException>(() => failing.SetAsync(Port, true, Cancellation))).Message);
        using var hanging = Exec(["/bin/sh", "-c", "sleep 60", "{action}"], TimeSpan.FromMilliseconds(100));
        Assert.Contains("was killed: not done after 0.1 s",
            (await Assert.ThrowsAsync<PowerException>(() => hanging.SetAsync(Port, true, Cancellation))).Message,
            StringComparison.Ordinal);
        using var missing = Exec(["/nonexistent/relay", "{action}"]);
        Assert.Contains("/nonexistent/relay cannot be run",
            (await Assert.ThrowsAsync<PowerException>(() => missing.SetAsync(Port, true, Cancellation))).Message,
            StringComparison.Ordinal);
        using var babbling = Exec(["/bin/echo", "perhaps", "{action}"]);
        Assert.Contains("printed 'perhaps status', where on, off, fault or unknown was expected",
            (await Assert.ThrowsAsync<PowerException>(() => babbling.ReadAsync(Port, Cancellation))).Message,
            StringComparison.Ordinal);
        Assert.Throws<PowerException>(() => Exec(["/bin/true"]));
        Assert.Throws<PowerException>(() => Exec([]));
    }

    [Fact]
    public async Task Where_nothing_switches_power_a_person_is_asked_to()
    {
        using var driver = PowerDrivers.Create(
            new NoPowerOptions { Name = "wall" }, TimeProvider.System, NullLoggerFactory.Instance);
        Assert.Equal("none", driver.Kind);
        Assert.Equal(PowerState.Unknown, (await driver.ReadAsync(Port, Cancellation)).State);
        Assert.Contains("must pull its plug by hand",
            (await Assert.ThrowsAsync<PowerException>(() => driver.SetAsync(Port, false, Cancellation))).Message,
            StringComparison.Ordinal);
    }

    private static IPowerDriver Exec(
        string[] command, TimeSpan? timeout = null, Func<PowerPort, string?>? nodeAt = null) =>
        PowerDrivers.Create(new ExecOptions
        {
            Name = "relays",
            Command = command,
            Timeout = timeout ?? TimeSpan.FromSeconds(10),
        }, TimeProvider.System, NullLoggerFactory.Instance, nodeAt);
}
