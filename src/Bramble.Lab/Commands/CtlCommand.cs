using System.CommandLine;
using Bramble.Lab.Control;

namespace Bramble.Lab.Commands;

/// <summary><c>bramble-lab ctl</c>: looks into a running lab and changes it.</summary>
internal static class CtlCommand
{
    public static Option<string> Path { get; } = new("--control")
    {
        Description = "The lab's control socket",
        DefaultValueFactory = _ => "/run/bramble-lab.sock",
    };

    public static Command Create()
    {
        var op = new Argument<string>("operation")
        {
            Description = "list, cut, restore, cycle, dead, alive, hang, hold, release, disk, loss or stop",
        };
        op.AcceptOnlyFromAmong(
            "list", "cut", "restore", "cycle", "dead", "alive", "hang", "hold", "release", "disk", "loss", "stop");
        var boards = new Argument<string[]>("boards")
        {
            Description = "Numbers, names, MACs or serials; none for all",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var value = new Option<string?>("--value")
        {
            Description = "hang: a stage such as tftp (tftp! each time); hold: a stage, not left before release; "
                + "disk: small, full, read-only, bad-once, bad, missing, none; loss: percent",
        };
        var command = new Command("ctl", "Look into a running lab, cut power, inject faults")
        {
            op, boards, value, Path,
        };
        command.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            var answer = await ControlServer.AskAsync(parsed.GetValue(Path)!,
                new ControlRequest(parsed.GetValue(op)!, parsed.GetValue(boards), parsed.GetValue(value)),
                cancellation);
            foreach (var board in answer.Boards ?? [])
                Console.WriteLine($"{board.Name} {board.Model,-5} {board.Mac} {(board.Power ? "on " : "off")} "
                    + $"{board.Stage,-8} {board.Address,-15} {board.Detail}");
            if (answer.Ok) return 0;
            await Console.Error.WriteLineAsync($"bramble-lab: {answer.Error}");
            return 1;
        }));
        return command;
    }
}
