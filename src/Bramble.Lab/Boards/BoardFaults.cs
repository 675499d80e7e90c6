using System.Collections.Immutable;

namespace Bramble.Lab.Boards;

/// <summary>What is wrong with a board's disk.</summary>
internal enum DiskFault
{
    None,

    /// <summary>Half as large as the card says it is.</summary>
    Small,

    /// <summary>Writes fail half-way with "No space left on device".</summary>
    Full,
    ReadOnly,

    /// <summary>One chunk reads back differently from what was written, once.</summary>
    BadOnce,

    /// <summary>One chunk reads back differently, however often it is written.</summary>
    Bad,

    /// <summary>There is no disk.</summary>
    Missing,
}

/// <summary>Stops a board where it enters a stage, until it is power-cycled.</summary>
internal sealed record HangFault(BoardStage Stage, bool Always);

/// <summary>The faults that a board has been given. Replaced as a whole, from any thread.</summary>
internal sealed record BoardFaults
{
    public DiskFault Disk { get; init; }

    public ImmutableList<HangFault> Hangs { get; init; } = [];

    /// <summary>Stages that the board does not leave: it does all that belongs to one, and then waits.</summary>
    public ImmutableHashSet<BoardStage> Holds { get; init; } = [];

    /// <summary>Reads <c>tftp</c> (once) or <c>tftp!</c> (always).</summary>
    public static bool TryParseHang(string text, out HangFault fault)
    {
        var always = text.EndsWith('!');
        var found = TryParseStage(text.TrimEnd('!'), out var stage);
        fault = new HangFault(stage, always);
        return found;
    }

    /// <summary>Reads a stage's word, such as <c>tftp</c>.</summary>
    public static bool TryParseStage(string text, out BoardStage stage) =>
        Enum.TryParse(text, ignoreCase: true, out stage) && Enum.IsDefined(stage) && !char.IsAsciiDigit(text[0]);

    /// <summary>
    /// Reads <c>small</c>, <c>full</c>, <c>read-only</c>, <c>bad-once</c>, <c>bad</c>, <c>missing</c>, <c>none</c>.
    /// </summary>
    public static bool TryParseDisk(string text, out DiskFault fault)
    {
        var word = text.Replace("-", "", StringComparison.Ordinal);
        return Enum.TryParse(word, ignoreCase: true, out fault) && Enum.IsDefined(fault) && !char.IsAsciiDigit(text[0]);
    }
}
