using System.CommandLine;
using Bramble.Lab.Network;
using Bramble.Wire;

namespace Bramble.Lab.Commands;

/// <summary><c>bramble-lab net up|down</c>: the namespaces and the cable between them.</summary>
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
        CustomParser = result =>
        {
            if (IPv4Prefix.TryParse(result.Tokens[0].Value, out var prefix)) return prefix;
            result.AddError($"'{result.Tokens[0].Value}' is not an address such as 10.77.0.1/16");
            return default;
        },
    };

    public static Command Create()
    {
        var qemu = new Option<bool>("--qemu")
        {
            Description = "Put the manager's address on a bridge (br0), so that emulated boards can join",
        };
        var up = new Command("up", "Make the two namespaces; what is there already stays") { Name, Manager, qemu };
        up.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            var spaces = new LabNamespaces(parsed.GetValue(Name)!, parsed.GetValue(Manager));
            var face = await spaces.UpAsync(parsed.GetValue(qemu), cancellation);
            Console.WriteLine($"manager: ip netns exec {spaces.ManagerNamespace}, interface {face}, "
                + $"address {parsed.GetValue(Manager)}");
            Console.WriteLine($"boards:  ip netns exec {spaces.LabNamespace}, interface {LabNamespaces.LabInterface}");
            return 0;
        }));
        var down = new Command("down", "Remove the two namespaces") { Name };
        down.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            await new LabNamespaces(parsed.GetValue(Name)!, default).DownAsync(cancellation);
            return 0;
        }));
        return new Command("net", "The network between manager and boards") { up, down };
    }
}
