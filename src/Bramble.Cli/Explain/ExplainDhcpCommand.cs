using System.CommandLine;
using System.Globalization;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Dhcp;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Bramble.Cli.Explain;

/// <summary>What a DHCP packet would be answered, option by option, each with the rule that put it there.</summary>
internal static class ExplainDhcpCommand
{
    public static Command Create(CommandSet set)
    {
        var mac = new Option<string?>("--mac")
        {
            Description = "The client whose DISCOVER to explain",
            HelpName = "MAC",
        };
        var architecture = new Option<int?>("--arch")
        {
            Description = "Its architecture (option 93): 0 BIOS, 7 UEFI x64, 11 UEFI arm64; with --mac",
            HelpName = "N",
        };
        var userClass = new Option<string?>("--user-class")
        {
            Description = "Its user class (option 77), such as iPXE; with --mac",
            HelpName = "TEXT",
        };
        var network = new Option<string?>("--network")
        {
            Description = "The network on which it is heard; by default where the node was heard last",
            HelpName = "NAME",
        };
        var packet = new Option<string?>("--packet") { Description = "A DHCP message in hex", HelpName = "HEX" };
        var pcap = new Option<string?>("--pcap")
        {
            Description = "A capture file (pcap): each question of a client in it",
            HelpName = "FILE",
        };
        var command = new HelpfulCommand("dhcp", "Explain what DHCP would answer, option by option",
            "Goes the DHCP server's own way with a packet, on a copy of the leases: nothing is held, given or\n"
            + "recorded. Shows the answer with each option and the rule that put it there, or why there is none. A\n"
            + "capture file comes from 'bramble capture', or from 'tcpdump -w FILE port 67 or port 68'.",
            "bramble explain dhcp --mac b8:27:eb:0a:0b:0c\n"
            + "bramble explain dhcp --mac 52:54:00:12:34:56 --arch 7 --network rack\n"
            + "bramble explain dhcp --pcap boot.pcap -o json | jq '.[].answer.options'")
        {
            mac, architecture, userClass, network, packet, pcap,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var file = session.Value(pcap);
            string?[] ways = [session.Value(mac), session.Value(packet), file];
            if (ways.Count(way => way is not null) != 1)
                throw new UsageException("give one of --mac, --packet, --pcap");
            if (session.Value(mac) is null
                && (session.Value(architecture) is not null || session.Value(userClass) is not null))
                throw new UsageException("--arch and --user-class go with --mac");
            var request = new DhcpExplainRequest
            {
                Mac = session.Value(mac),
                Architecture = session.Value(architecture),
                UserClass = session.Value(userClass),
                Network = session.Value(network),
                Packets = file is not null ? DhcpCapture.Questions(file)
                    : session.Value(packet) is { } hex ? [hex] : null,
            };
            var answer = await session.Api.PostAsync(ApiRoutes.DhcpExplain, request,
                ContractsJson.Default.DhcpExplainRequest, ContractsJson.Default.IReadOnlyListDhcpExplanationView,
                cancellation);
            session.Printer.Show(answer.Raw, () => Shape(answer.Value, session.Printer.IsWide));
            return ExitCode.Ok;
        });
    }

    private static Rows Shape(IReadOnlyList<DhcpExplanationView> explained, bool wide)
    {
        var parts = new List<IRenderable>();
        foreach (var one in explained)
        {
            if (parts.Count > 0) parts.Add(Text.Empty);
            parts.Add(new Text(Human.Clean($"{one.Question} of {one.Mac ?? "nobody"} on network {one.Network}"),
                Styles.Head));
            foreach (var note in one.Notes) parts.Add(new Text($"  {Human.Clean(note)}"));
            parts.Add(Verdict(one));
            if (one.Answer is { } answer) parts.AddRange([Text.Empty, Options(answer, wide).Shape]);
        }
        return new Rows(parts);
    }

    private static Text Verdict(DhcpExplanationView one) => one.Answer is { } answer
        ? new Text($"→ {answer.Message} to {answer.To}: {Human.Clean(one.Detail)}",
            answer.Message == "NAK" ? Styles.Bad : Styles.Good)
        : one.Reason is { } reason ? new Text($"→ no answer ({reason}): {Human.Clean(one.Detail)}", Styles.Odd)
        : new Text($"→ no answer belongs to it: {Human.Clean(one.Detail)}", Styles.Faint);

    private static Sheet Options(DhcpAnswerView answer, bool wide)
    {
        var sheet = wide ? new Sheet("OPTION", "NAME", "RULE", "HEX", "VALUE")
            : new Sheet("OPTION", "NAME", "RULE", "VALUE");
        Add("yiaddr", answer.YourAddress);
        Add("siaddr", answer.NextServer);
        Add("file", answer.BootFile);
        foreach (var option in answer.Options)
        {
            var rule = option.Sent ? option.Rule : $"{option.Rule}; left out, it does not fit";
            var number = option.Number.ToString(CultureInfo.InvariantCulture);
            if (wide) sheet.Add(number, option.Name, rule, option.Hex, option.Value);
            else sheet.Add(number, option.Name, rule, option.Value);
        }
        return sheet;

        void Add(string name, string? value)
        {
            if (value is null) return;
            if (wide) sheet.Add("", name, "", "", value);
            else sheet.Add("", name, "", value);
        }
    }
}
