using System.Text.Json;
using System.Text.Json.Serialization;
using Bramble.Lab.Boards;

namespace Bramble.Lab.Control;

/// <summary>What a test or the demo asks of a running lab: one line of JSON.</summary>
/// <param name="Op">
/// <c>list</c>, <c>cut</c>, <c>restore</c>, <c>cycle</c>, <c>dead</c>, <c>alive</c>, <c>hang</c>, <c>hold</c>,
/// <c>release</c>, <c>disk</c>, <c>loss</c>, <c>stop</c>.
/// </param>
/// <param name="Boards">Names, numbers, MACs or serials; none for all.</param>
/// <param name="Value">
/// The stage for <c>hang</c> and <c>hold</c>, the fault for <c>disk</c>, the percentage for <c>loss</c>.
/// </param>
internal sealed record ControlRequest(string Op, IReadOnlyList<string>? Boards = null, string? Value = null);

/// <summary>The answer: one line of JSON.</summary>
internal sealed record ControlAnswer(bool Ok, string? Error = null, IReadOnlyList<BoardView>? Boards = null);

/// <summary>A board as the lab knows it.</summary>
/// <param name="Stage">Lower-case word of <see cref="BoardStage"/>.</param>
/// <param name="Since">Seconds since the lab's start at which it entered the stage.</param>
internal sealed record BoardView(
    string Name, int Number, string Model, string Mac, string Serial, int Port, bool Power, string Stage, string Detail,
    string Address, double Since, int PowerCycles, int Boots, int Installs, int Reports)
{
    public static BoardView Of(Board board)
    {
        var (spec, state) = (board.Spec, board.State);
        return new BoardView(spec.Name, spec.Number, spec.Traits.Word, spec.Mac.ToString(), spec.LongSerial, spec.Port,
            board.HasPower, BoardRun.Word(state.Stage), state.Detail, state.Address,
            Math.Round(state.Since.TotalSeconds, 3), state.PowerCycles, state.Boots, state.Installs, state.Reports);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext;
