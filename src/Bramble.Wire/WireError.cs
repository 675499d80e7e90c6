namespace Bramble.Wire;

/// <summary>
/// Why bytes from the network were refused: which rule, and at which octet. A codec returns it; it never throws.
/// </summary>
/// <param name="Reason">One sentence for a log or a timeline, without the bytes themselves.</param>
/// <param name="Offset">The octet, counted from 0, at which the rule was broken.</param>
public readonly record struct WireError(string Reason, int Offset)
{
    public override string ToString() => $"{Reason} (octet {Offset})";
}
