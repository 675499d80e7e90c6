namespace Bramble.Contracts.Nodes;

/// <summary>What a node would be given if it booted now.</summary>
/// <param name="Machine">What boots, in words: the board, or the firmware of another machine.</param>
/// <param name="Image">The image that it boots from; null if none is chosen or there.</param>
/// <param name="Then">What its installer would be told, in words.</param>
/// <param name="Files">In the order in which it asks.</param>
public sealed record BootExplanationView(
    string Node, string Machine, string? Image, string Then, IReadOnlyList<BootFileView> Files)
{
    /// <summary>The text of the file that was asked for, with the token left out; null if none was.</summary>
    public string? Text { get; init; }
}

/// <param name="Door"><c>tftp</c> or <c>http</c>.</param>
/// <param name="Bytes">Null if it is not given.</param>
/// <param name="Source">Where it comes from, or why it is not given.</param>
/// <param name="Needed">Without it the boot stops.</param>
public sealed record BootFileView(string Path, string Door, long? Bytes, string Source, bool Needed);
