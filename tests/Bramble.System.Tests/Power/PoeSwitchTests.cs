using Bramble.Lab.Switch;
using Bramble.Manager.Power;
using Bramble.Wire;
using Bramble.Wire.Snmp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.System.Tests.Power;

/// <summary>The manager's driver against the lab's switch, on loopback.</summary>
public sealed class PoeSwitchTests
{
    private static readonly MacAddress Board = MacAddress.Parse("dc:a6:32:01:02:03");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Ways()
    {
        var ways = new TheoryData<string, string, string> { { "1", "", "" }, { "2c", "", "" } };
        foreach (var authentication in new[] { "md5", "sha", "sha-256", "sha-384", "sha-512" })
            foreach (var privacy in new[] { "none", "des", "aes" })
                ways.Add("3", authentication, privacy);
        return ways;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_board_is_found_and_loses_and_gets_its_power(
        string version, string authentication, string privacy)
    {
        await using var rack = new Rack(User(authentication, privacy));
        rack.Switch.Attach(12);
        rack.Switch.Learn(Board, 12);
        using var driver = Driver(rack.Options(version, authentication, privacy));

        var port = new PowerPort("sw1", "12");
        Assert.Equal(port, await driver.FindAsync(Board, Cancellation));
        Assert.Equal(PowerState.On, (await driver.ReadAsync(port, Cancellation)).State);
        await driver.SetAsync(port, on: false, Cancellation);
        Assert.False(rack.Switch.IsPowered(12));
        Assert.Equal(PowerState.Off, (await driver.ReadAsync(port, Cancellation)).State);
        Assert.Null(await driver.FindAsync(Board, Cancellation));
        await driver.SetAsync(port, on: true, Cancellation);
        Assert.True(rack.Switch.IsPowered(12));
    }

    [Theory]
    [InlineData("2c")]
    [InlineData("3")]
    public async Task A_switch_that_numbers_its_interfaces_otherwise_and_knows_VLANs_is_understood(string version)
    {
        await using var rack = new Rack(User("sha", "none"), o => o with
        {
            IfIndexOffset = 10100,
            OnlyQBridge = true,
            PoeGroup = 2,
        });
        for (var i = 1; i <= 48; i++) rack.Switch.Learn(new MacAddress(Board.Bits + (ulong)i), i, vlan: 1 + i % 3);
        using var driver = Driver(rack.Options(version, "sha", "none") with { Group = 2, PortOffset = 10100 });
        for (var i = 1; i <= 48; i += 13)
        {
            var port = await driver.FindAsync(new MacAddress(Board.Bits + (ulong)i), Cancellation);
            Assert.Equal($"{i}", port?.Port);
            await driver.SetAsync(port!, on: false, Cancellation);
            Assert.False(rack.Switch.IsOn(i));
        }
    }

    [Fact]
    public async Task With_a_community_for_each_VLAN_a_board_is_found_in_its_own()
    {
        await using var rack = new Rack();
        rack.Switch.Learn(Board, 5, vlan: 3);
        using var driver = Driver(rack.Options("2c") with { Community = "private@3" });
        Assert.Equal("5", (await driver.FindAsync(Board, Cancellation))?.Port);
        using var apart = Driver(rack.Options("2c") with { Community = "private", FindCommunity = "public@3" });
        Assert.Equal("5", (await apart.FindAsync(Board, Cancellation))?.Port);
        await apart.SetAsync(new PowerPort("sw1", "5"), on: false, Cancellation);
        Assert.False(rack.Switch.IsOn(5));
    }

    [Theory]
    [InlineData("2c")]
    [InlineData("3")]
    public async Task Lost_requests_are_asked_again(string version)
    {
        await using var rack = new Rack(User("sha", "aes"));
        using var driver = Driver(
            rack.Options(version, "sha", "aes") with { Timeout = TimeSpan.FromMilliseconds(100), Retries = 5 });
        rack.Switch.DropRequests = 2;
        await driver.SetAsync(new PowerPort("sw1", "7"), on: false, Cancellation);
        Assert.False(rack.Switch.IsOn(7));
    }

    [Theory]
    [InlineData("2c")]
    [InlineData("3")]
    public async Task A_slow_switch_whose_answers_come_late_and_doubled_confuses_nobody(string version)
    {
        await using var rack = new Rack(User("sha", "aes"));
        using var driver = Driver(rack.Options(version, "sha", "aes") with
        {
            Timeout = TimeSpan.FromMilliseconds(60),
            Retries = 5,
        });
        rack.Switch.AnswerDelay = TimeSpan.FromMilliseconds(80);
        var port = new PowerPort("sw1", "7");
        for (var round = 0; round < 3; round++)
        {
            await driver.SetAsync(port, on: round % 2 != 0, Cancellation);
            Assert.Equal(round % 2 != 0 ? PowerState.On : PowerState.Off,
                (await driver.ReadAsync(port, Cancellation)).State);
        }
    }

    [Fact]
    public async Task A_stuck_port_takes_the_order_and_reads_as_it_is()
    {
        await using var rack = new Rack();
        rack.Switch.Attach(7);
        rack.Switch.StuckPorts = [7];
        using var driver = Driver(rack.Options("2c"));
        var port = new PowerPort("sw1", "7");
        await driver.SetAsync(port, on: false, Cancellation);
        Assert.Equal(PowerState.On, (await driver.ReadAsync(port, Cancellation)).State);
    }

    [Theory]
    [InlineData(2, 0)] // started again, and counted it
    [InlineData(1, 0)] // started again, and forgot to: its clock has gone back
    [InlineData(5, 100_000)] // another one in its place
    public async Task A_version_3_switch_that_was_started_again_is_believed_again(int boots, int time)
    {
        var user = User("sha", "aes");
        var before = new Rack(user, o => o with { EngineBoots = 1, EngineTime = 5000 });
        using var driver = Driver(before.Options("3", "sha", "aes"));
        await driver.SetAsync(new PowerPort("sw1", "7"), on: false, Cancellation);
        var address = before.Switch.EndPoint;
        await before.DisposeAsync();

        await using var after = new Rack(user, o => o with
        {
            Listen = address,
            EngineBoots = boots,
            EngineTime = time,
            EngineId = boots == 5 ? "other engine"u8.ToArray() : o.EngineId,
        });
        await driver.SetAsync(new PowerPort("sw1", "7"), on: false, Cancellation);
        Assert.False(after.Switch.IsOn(7));
    }

    [Fact]
    public async Task Many_tasks_at_once_are_served_one_after_the_other()
    {
        await using var rack = new Rack(User("sha-256", "aes"));
        using var driver = Driver(rack.Options("3", "sha-256", "aes") with { Timeout = TimeSpan.FromSeconds(20) });
        await Task.WhenAll(Enumerable.Range(1, 48).Select(
            i => driver.SetAsync(new PowerPort("sw1", $"{i}"), on: false, Cancellation)));
        Assert.All(Enumerable.Range(1, 48), i => Assert.False(rack.Switch.IsOn(i)));
        Assert.Equal(49, rack.Switch.Requests); // one of them the discovery
    }

    private static IPowerDriver Driver(PoeSwitchOptions options) =>
        PowerDrivers.Create(options, TimeProvider.System, NullLoggerFactory.Instance);

    private static UsmUser? User(string authentication, string privacy) => authentication.Length == 0 ? null : new(
        "operator",
        authentication switch
        {
            "md5" => UsmAuthentication.Md5,
            "sha" => UsmAuthentication.Sha1,
            "sha-256" => UsmAuthentication.Sha256,
            "sha-384" => UsmAuthentication.Sha384,
            _ => UsmAuthentication.Sha512,
        },
        "first password",
        privacy switch { "des" => UsmPrivacy.Des, "aes" => UsmPrivacy.Aes128, _ => UsmPrivacy.None },
        "second password");

    /// <summary>A running virtual switch.</summary>
    private sealed class Rack : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Rack(UsmUser? user = null, Func<VirtualSwitchOptions, VirtualSwitchOptions>? change = null)
        {
            var options = new VirtualSwitchOptions { Users = user is null ? [] : [user] };
            Switch = new VirtualSwitch(change?.Invoke(options) ?? options);
            _running = Switch.RunAsync(_stop.Token);
        }

        public VirtualSwitch Switch { get; }

        public PoeSwitchOptions Options(string version, string authentication = "", string privacy = "") => new()
        {
            Name = "sw1",
            Host = "127.0.0.1",
            Port = Switch.EndPoint.Port,
            Version = version,
            Community = "private",
            User = "operator",
            AuthProtocol = authentication,
            AuthPassword = "first password",
            PrivProtocol = privacy,
            PrivPassword = "second password",
            Timeout = TimeSpan.FromSeconds(2),
        };

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            Switch.Dispose();
            _stop.Dispose();
        }
    }
}
