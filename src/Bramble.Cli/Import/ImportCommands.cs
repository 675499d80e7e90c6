using System.CommandLine;

namespace Bramble.Cli.Import;

/// <summary><c>bramble import …</c>: nodes out of another system's files.</summary>
internal static class ImportCommands
{
    private const string More =
        "Shows what each line becomes: added, changed, same, conflict, bad or skipped, with the reason. Asks before\n"
        + "it acts, and does all or nothing: one line that cannot be taken over keeps the others back, unless\n"
        + "--skip-bad leaves it out. The same file again changes nothing.";

    public static Command Create(CommandSet set) => new HelpfulCommand(
        "import", "Take nodes over from another system's files", More,
        "bramble import dnsmasq /etc/dnsmasq.conf --dry-run")
    {
        One(set, "piman-hosts", "Take nodes over from Piman's hosts.csv",
            "Each line is MAC;IP;hostname;last_used. Of several lines for one board the newest is taken.",
            "bramble import piman-hosts hosts.csv --dry-run", PimanHosts.Read),
        PiRackCommand(set),
        One(set, "grape", "Take nodes over from Grape's config.toml",
            "Each device becomes a node worker-STACK-SLOT with the labels stack and slot.",
            "bramble import grape config.toml", GrapeConfig.Read),
        DnsmasqCommand(set),
    };

    private static HelpfulCommand PiRackCommand(CommandSet set)
    {
        var boards = new Option<string?>("--boards")
        {
            Description = $"PiRack's list of boards [{PiRack.BoardsName} beside FILE]",
            HelpName = "FILE",
        };
        var command = One(set, "pirack", "Take nodes over from PiRack's structure_rack.ini and dict_rasps.csv",
            "structure_rack.ini says where each stack stands; the boards and their addresses are in dict_rasps.csv,\n"
            + "which PiRack's install wizard wrote beside it. Each board becomes a node with its number and the\n"
            + "labels stack, x and y.", "bramble import pirack structure_rack.ini",
            (session, path) => PiRack.Read(path, session.Value(boards)));
        command.Add(boards);
        return command;
    }

    private static HelpfulCommand DnsmasqCommand(CommandSet set)
    {
        var print = new Option<bool>("--print-config")
        {
            Description = "Print the 'networks' of a bramble.yaml that does what the file does, and take nothing over",
        };
        var command = One(set, "dnsmasq", "Take nodes over from dnsmasq's dhcp-host lines",
            "FILE is a configuration of dnsmasq, or what its dhcp-hostsfile names. Each dhcp-host with a MAC address\n"
            + "becomes a node: its name, its IPv4 address, and its set:TAGs as the label tag. Everything else is\n"
            + "listed with what corresponds to it in bramble.yaml; --print-config writes that down.",
            "bramble import dnsmasq /etc/dnsmasq.conf --dry-run\n"
            + "bramble import dnsmasq /etc/dnsmasq.conf --print-config > networks.yaml",
            (_, path) => DnsmasqConfig.Read(path), print,
            (session, path) => session.Terminal.Out.Write(DnsmasqNetworks.Print(path)));
        command.Add(print);
        return command;
    }

    private static HelpfulCommand One(
        CommandSet set, string name, string summary, string more, string example, Func<string, ImportReading> read) =>
        One(set, name, summary, more, example, (_, path) => read(path));

    /// <param name="print">An option that has something printed in place of an import.</param>
    private static HelpfulCommand One(
        CommandSet set, string name, string summary, string more, string example,
        Func<Session, string, ImportReading> read, Option<bool>? print = null, Action<Session, string>? printed = null)
    {
        var file = new Argument<string>("FILE") { Description = "The other system's file" };
        var skipBad = new Option<bool>("--skip-bad")
        {
            Description = "Leave out lines that cannot be taken over, and take the others",
        };
        var command = new HelpfulCommand(name, summary, $"{more}\n\n{More}", example) { file, skipBad };
        return set.Handle(command, (session, cancellation) =>
        {
            var path = session.Value(file)!;
            if (print is not null && session.Value(print))
            {
                printed!(session, path);
                return Task.FromResult(ExitCode.Ok);
            }
            return new ImportRun(session, read(session, path), name, session.Value(skipBad)).RunAsync(cancellation);
        });
    }
}
