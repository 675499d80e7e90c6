using System.CommandLine;
using System.CommandLine.Parsing;
using Bramble.Lab.Network;
using Bramble.Wire;

namespace Bramble.Lab.Commands;

/// <summary><c>bramble-lab net up|down|rival|relay</c>: namespaces, cables, other people's servers.</summary>
internal static class NetCommand
{
    public static Option<string> Name { get; } = new("--name")
    {
        Description = "Prefix of the two namespaces, NAME-mgr and NAME-lab",
        DefaultValueFactory = _ => "bramble",
    };

    public static Option<IPv4Prefix> Manager { get; } = new("--manager")
    {
        Description = "The manager's address and the boards' network",
        DefaultValueFactory = _ => IPv4Prefix.Parse("10.77.0.1/16"),
        CustomParser = ReadPrefix,
    };

    private static readonly Option<bool> s_bridge = new("--qemu")
    {
        Description = "Put the manager's address on a bridge (br0), so that emulated boards and a rival can join",
    };

    private static readonly Option<IPv4Prefix> s_relay = new("--relay")
    {
        Description = "Put the boards on a network of their own, behind a relay with this address: 10.88.0.1/16",
        CustomParser = ReadPrefix,
    };

    private static readonly Option<IPv4Prefix> s_rival = new("--address")
    {
        Description = "The rival's own address",
        DefaultValueFactory = _ => IPv4Prefix.Parse("10.77.0.2/16"),
        CustomParser = ReadPrefix,
    };

    private static readonly Option<string> s_pool = new("--pool")
    {
        Description = "The addresses that the rival gives",
        DefaultValueFactory = _ => "10.77.200.1-10.77.200.254",
    };

    public static Command Create() =>
        new("net", "The network between manager and boards") { Up(), Down(), Rival(), Relay() };

    private static Command Up()
    {
        var up = new Command("up", "Make the two namespaces; what is there already stays")
        {
            Name, Manager, s_bridge, s_relay,
        };
        up.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            var spaces = Spaces(parsed);
            IPv4Prefix? far = parsed.GetResult(s_relay) is null ? null : parsed.GetValue(s_relay);
            var face = await spaces.UpAsync(parsed.GetValue(s_bridge), far, cancellation);
            Console.WriteLine($"manager: ip netns exec {spaces.ManagerNamespace}, interface {face}, "
                + $"address {parsed.GetValue(Manager)}");
            if (far is not null) Console.WriteLine($"relay:   bramble-lab net relay, boards on {far}");
            Console.WriteLine($"boards:  ip netns exec {spaces.LabNamespace}, interface {LabNamespaces.LabInterface}");
            return 0;
        }));
        return up;
    }

    private static Command Down()
    {
        var down = new Command("down", "Remove the namespaces") { Name };
        down.SetAction((parsed, _) => Failures.ShownAsync(async () =>
        {
            await new LabNamespaces(parsed.GetValue(Name)!, default).DownAsync();
            return 0;
        }));
        return down;
    }

    private static Command Rival()
    {
        var rival = new Command("rival", "Run another DHCP server (dnsmasq) on the manager's bridge until stopped")
        {
            Name, s_rival, s_pool,
        };
        rival.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            await new RivalServer(new LabNamespaces(parsed.GetValue(Name)!, default), parsed.GetValue(s_rival),
                parsed.GetValue(s_pool)!).RunAsync(Console.WriteLine, cancellation);
            return 0;
        }));
        return rival;
    }

    private static Command Relay()
    {
        var relay = new Command("relay", "Run a DHCP relay (dhcrelay) between the two networks of 'net up --relay'")
        {
            Name, Manager,
        };
        relay.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            await new RelayAgent(Spaces(parsed), parsed.GetValue(Manager).Address)
                .RunAsync(Console.WriteLine, cancellation);
            return 0;
        }));
        return relay;
    }

    private static LabNamespaces Spaces(ParseResult parsed) =>
        new(parsed.GetValue(Name)!, parsed.GetValue(Manager));

    private static IPv4Prefix ReadPrefix(ArgumentResult result)
    {
        if (IPv4Prefix.TryParse(result.Tokens[0].Value, out var prefix)) return prefix;
        result.AddError($"'{result.Tokens[0].Value}' is not an address such as 10.77.0.1/16");
        return default;
    }
}
