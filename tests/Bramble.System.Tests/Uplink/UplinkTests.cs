using Bramble.Testing;

namespace Bramble.System.Tests.Uplink;

/// <summary>A board's way to names and out to the world, through a manager that is the real daemon.</summary>
public sealed class UplinkTests
{
    private const string Table = "table ip bramble_gateway {";

    [Fact]
    public async Task A_board_gets_out_as_its_manager_and_nobody_gets_in()
    {
        if (ThreeMachines.Unavailable is { } why) Assert.Skip(why);
        await using var machines = await ThreeMachines.StartAsync("gateway: {uplink: auto}");
        await machines.Manager.ExecAsync(Patience.Limit, "nft", "add table inet theirs");
        var told = await machines.LeaseAsync();
        Assert.Contains("router=10.77.0.1\n", told, StringComparison.Ordinal);
        Assert.True(await machines.PingAsync(machines.Board, ThreeMachines.FarAddress), await machines.RulesAsync());
        Assert.Equal(ThreeMachines.UplinkAddress, await machines.SeenFromFarAsync());
        // Even who knows the way does not get in.
        await machines.Internet.InsideAsync("route", "add", "10.77.0.0/24", "via", ThreeMachines.UplinkAddress);
        Assert.False(await machines.PingAsync(machines.Internet, "10.77.0.100"));

        await machines.KillManagerAsync();
        Assert.Contains(Table, await machines.RulesAsync(), StringComparison.Ordinal);
        await machines.StartManagerAsync();
        await Patience.UntilAsync(() => machines.Log.Count(line =>
            line.Contains("get out by eth0", StringComparison.Ordinal)) == 2, "the gateway of the second start");
        var rules = await machines.RulesAsync();
        Assert.Equal(2, rules.Split(Table).Length);
        Assert.Equal(2, rules.Split("masquerade").Length);
        Assert.Equal(("1", "1"), (await machines.ForwardingAsync("eth0"), await machines.ForwardingAsync("eth1")));
        Assert.True(await machines.PingAsync(machines.Board, ThreeMachines.FarAddress));

        await machines.StopManagerAsync();
        rules = await machines.RulesAsync();
        Assert.DoesNotContain("bramble_gateway", rules, StringComparison.Ordinal);
        Assert.Contains("table inet theirs", rules, StringComparison.Ordinal);
        Assert.Equal(("0", "0"), (await machines.ForwardingAsync("eth0"), await machines.ForwardingAsync("eth1")));
        Assert.False(await machines.PingAsync(machines.Board, ThreeMachines.FarAddress));
    }

    [Fact]
    public async Task Without_a_gateway_a_board_stays_inside()
    {
        if (ThreeMachines.Unavailable is { } why) Assert.Skip(why);
        await using var machines = await ThreeMachines.StartAsync("");
        var told = await machines.LeaseAsync();
        Assert.DoesNotContain("router=", told, StringComparison.Ordinal);
        await machines.Board.InsideAsync("route", "add", "default", "via", "10.77.0.1");
        Assert.True(await machines.PingAsync(machines.Board, "10.77.0.1"));
        Assert.False(await machines.PingAsync(machines.Board, ThreeMachines.FarAddress));
        Assert.DoesNotContain("bramble_gateway", await machines.RulesAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_uplink_that_comes_late_and_a_firewall_that_is_flushed_are_put_right()
    {
        if (ThreeMachines.Unavailable is { } why) Assert.Skip(why);
        await using var machines = await ThreeMachines.StartAsync("gateway: {uplink: wan0}");
        await machines.LeaseAsync();
        await Patience.UntilAsync(() => machines.Log.Any(line =>
            line.Contains("the gateway of network rack is shut: there is no interface wan0",
                StringComparison.OrdinalIgnoreCase)), "the warning of an uplink that is not there");
        Assert.False(await machines.PingAsync(machines.Board, ThreeMachines.FarAddress));
        await machines.Manager.InsideAsync("link", "set", "eth0", "down");
        await machines.Manager.InsideAsync("link", "set", "eth0", "name", "wan0");
        await machines.Manager.InsideAsync("link", "set", "wan0", "up");
        await machines.Manager.InsideAsync("route", "add", "default", "via", "192.0.2.2");
        await ReachesAsync(machines, "the uplink that came late");
        await machines.Manager.ExecAsync(Patience.Limit, "nft", "flush", "ruleset");
        await ReachesAsync(machines, "the rules after a flush");
        Assert.Equal(ThreeMachines.UplinkAddress, await machines.SeenFromFarAsync());
    }

    [Fact]
    public async Task A_node_has_its_name_within_a_second_of_its_lease_and_the_world_s_names_with_it()
    {
        if (ThreeMachines.Unavailable is { } why) Assert.Skip(why);
        await using var machines = await ThreeMachines.StartAsync("");
        machines.StartFarNames();
        await machines.Board.InsideAsync("address", "add", "10.77.0.200/24", "dev", "eth0");
        Assert.Contains("NXDOMAIN", await machines.DigAsync("pi-01.bramble.internal"), StringComparison.Ordinal);
        await machines.Board.InsideAsync("address", "flush", "dev", "eth0");
        var told = await machines.LeaseAsync();
        Assert.Contains("dns=10.77.0.1\n", told, StringComparison.Ordinal);
        Assert.Contains("domain=bramble.internal\n", told, StringComparison.Ordinal);
        Assert.Contains("hostname=pi-01\n", told, StringComparison.Ordinal);
        var leased = TimeProvider.System.GetTimestamp();
        string answer;
        do
        {
            answer = await machines.DigAsync("+short", "pi-01.bramble.internal");
        }
        while (answer.Length == 0 && TimeProvider.System.GetElapsedTime(leased) < TimeSpan.FromSeconds(1));
        Assert.Equal("10.77.0.100\n", answer);
        Assert.Equal("pi-01.bramble.internal.\n", await machines.DigAsync("+short", "-x", "10.77.0.100"));
        Assert.Equal("10.77.0.1\n", await machines.DigAsync("+short", "+tcp", "brambled.bramble.internal"));
        Assert.Equal("192.0.2.80\n", await machines.DigAsync("+short", "www.example.org"));
        Assert.Contains("NXDOMAIN", await machines.DigAsync("-x", "10.1.2.3"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_are_switched_off_are_not_served_nor_told()
    {
        if (ThreeMachines.Unavailable is { } why) Assert.Skip(why);
        await using var machines = await ThreeMachines.StartAsync("dns: false");
        Assert.DoesNotContain("dns=", await machines.LeaseAsync(), StringComparison.Ordinal);
        Assert.Contains("connection refused", await machines.DigAsync("pi-01.bramble.internal"),
            StringComparison.OrdinalIgnoreCase);
    }

    private static async Task ReachesAsync(ThreeMachines machines, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await machines.PingAsync(machines.Board, ThreeMachines.FarAddress))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Limit,
                $"{what} did not come:\n{await machines.RulesAsync()}\n{string.Join('\n', machines.Log)}");
        }
    }
}
