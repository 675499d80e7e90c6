using System.Runtime.InteropServices;
using Bramble.BootBench;

// Started by bench/boot, which sees to the programs that are needed:
//   Bramble.BootBench BRAMBLED FOLDER [--quick] [--rounds N] [--only WORDS] [tftp] [http] [dhcp]
//   Bramble.BootBench load tftp|http JSON                  a load, in the clients' namespace
if (args is ["load", var kind, var json]) return LoadCommand.Run(kind, json);

bool quick = false;
int? rounds = null;
var only = "";
var parts = new HashSet<string>();
for (var i = 2; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--quick": quick = true; break;
        case "--rounds" when i + 1 < args.Length && int.TryParse(args[i + 1], out var n) && n > 0:
            rounds = n;
            i++;
            break;
        case "--only" when i + 1 < args.Length: only = args[++i]; break;
        case "tftp" or "http" or "dhcp": parts.Add(args[i]); break;
        default:
            Console.Error.WriteLine($"bench/boot: '{args[i]}' is not understood");
            return 2;
    }
}
if (parts.Count == 0) parts = ["tftp", "http", "dhcp"];

var table = new Table();
var network = await BenchNetwork.CreateAsync();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupted);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupted);
await using (network)
{
    var servers = new Servers(network, args[0], args[1]);
    if (parts.Contains("tftp") || parts.Contains("http"))
    {
        await new FileBench(network, servers, table, rounds ?? (quick ? 2 : 5), quick, only)
            .RunAsync(parts.Contains("tftp"), parts.Contains("http"));
    }
    if (parts.Contains("dhcp"))
        await new DhcpBench(network, servers, table, rounds is { } r ? r : quick ? 1 : 3, quick).RunAsync();
}
Console.Write(table);
return 0;

void Interrupted(PosixSignalContext context)
{
    Server.SweepAsync(network.Servers).GetAwaiter().GetResult();
    network.DisposeAsync().AsTask().GetAwaiter().GetResult();
    Environment.Exit(130);
}
