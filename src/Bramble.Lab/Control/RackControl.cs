using System.Globalization;
using Bramble.Lab.Boards;
using Bramble.Lab.Racks;

namespace Bramble.Lab.Control;

/// <summary>Does what a control request says.</summary>
/// <param name="setLoss">Share of packets to lose, 0 to 1.</param>
/// <param name="stop">Ends the lab.</param>
internal sealed class RackControl(
    Rack rack, TimeProvider time, Func<double, CancellationToken, Task> setLoss, Action stop)
{
    private static readonly TimeSpan CycleOff = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan AnswerFirst = TimeSpan.FromMilliseconds(100);

    public async Task<ControlAnswer> DoAsync(ControlRequest request, CancellationToken cancellation)
    {
        if (!TryFind(request.Boards, out var boards, out var unknown))
            return new ControlAnswer(false, $"there is no board {unknown}");
        switch (request.Op)
        {
            case "list":
                break;
            case "cut" or "restore":
                Switch(boards, request.Op == "restore");
                break;
            case "cycle":
                Switch(boards, false);
                await Task.Delay(CycleOff, time, cancellation);
                Switch(boards, true);
                break;
            case "dead" or "alive":
                foreach (var board in boards) rack.Feed.SetDead(board.Spec.Port, request.Op == "dead");
                rack.FollowAll();
                break;
            case "hang":
                if (!BoardFaults.TryParseHang(request.Value ?? "", out var hang))
                    return new ControlAnswer(false, $"'{request.Value}' is no stage such as tftp or tftp! (each time)");
                foreach (var board in boards)
                    board.Faults = board.Faults with { Hangs = board.Faults.Hangs.Add(hang) };
                break;
            case "hold":
                if (!BoardFaults.TryParseStage(request.Value ?? "", out var stage))
                    return new ControlAnswer(false, $"'{request.Value}' is no stage such as tftp");
                foreach (var board in boards)
                    board.Faults = board.Faults with { Holds = board.Faults.Holds.Add(stage) };
                break;
            case "release":
                foreach (var board in boards) board.Faults = board.Faults with { Holds = [] };
                break;
            case "disk":
                if (!BoardFaults.TryParseDisk(request.Value ?? "", out var fault))
                    return new ControlAnswer(false, $"'{request.Value}' is no disk fault such as full");
                foreach (var board in boards) board.Faults = board.Faults with { Disk = fault };
                break;
            case "loss":
                if (!double.TryParse(request.Value, CultureInfo.InvariantCulture, out var percent)
                    || percent is < 0 or > 90)
                    return new ControlAnswer(false, $"'{request.Value}' is no percentage from 0 to 90");
                await setLoss(percent / 100, cancellation);
                break;
            case "stop":
                // After the answer: the asker wants to hear that it was done.
                _ = Task.Delay(AnswerFirst, time, CancellationToken.None).ContinueWith(
                    _ => stop(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                break;
            default:
                return new ControlAnswer(false, $"'{request.Op}' is no operation");
        }
        return new ControlAnswer(true, Boards: [.. boards.Select(BoardView.Of)]);
    }

    private void Switch(IEnumerable<Board> boards, bool on)
    {
        foreach (var board in boards) rack.Feed.SetPort(board.Spec.Port, on);
    }

    private bool TryFind(IReadOnlyList<string>? words, out IReadOnlyList<Board> boards, out string unknown)
    {
        unknown = "";
        if (words is null or [])
        {
            boards = rack.Boards;
            return true;
        }
        var found = new List<Board>();
        boards = found;
        foreach (var word in words)
        {
            unknown = word;
            if (rack.Find(word) is not { } board) return false;
            found.Add(board);
        }
        return true;
    }
}
