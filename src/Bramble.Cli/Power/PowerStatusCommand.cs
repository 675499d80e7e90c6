using System.CommandLine;
using System.Globalization;
using Bramble.Cli.Api;
using Bramble.Cli.Nodes;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Power;

internal static class PowerStatusCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("status", "Read the nodes' power from the hardware",
            "Asks each power device just now. Without names: all nodes.\n" + NodeArguments.Ways,
            "bramble power status 2-9");
        var nodes = new NodeArguments(set, command);
        return set.Handle(command, async (session, cancellation) =>
        {
            var path = ApiPath.With(ApiRoutes.Power, nodes.ReadOrNone(session).Query);
            var answer = await session.Api.GetAsync(path, ContractsJson.Default.IReadOnlyListPowerView, cancellation);
            session.Printer.Show(answer.Raw, () =>
            {
                var sheet = new Sheet("NAME", "POWER", "WANTED", "WATTS", "DEVICE", "PORT", "DETAIL");
                foreach (var port in answer.Value)
                {
                    var look = port.State switch
                    {
                        "on" => Styles.Good,
                        "fault" => Styles.Bad,
                        "unknown" => Styles.Odd,
                        _ => Styles.Faint,
                    };
                    sheet.Add(port.Name, new Cell(port.State, look), port.Wanted,
                        port.Watts?.ToString("0.0", CultureInfo.InvariantCulture), port.Device, port.Port, port.Detail);
                }
                return sheet;
            });
            return ExitCode.Ok;
        });
    }
}
