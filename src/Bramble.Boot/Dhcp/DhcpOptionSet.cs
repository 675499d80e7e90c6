using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>One option as the operator wants it.</summary>
/// <param name="Always">Sent unasked as well.</param>
/// <param name="Omit">Not sent, whatever a more general rule says.</param>
public sealed record DhcpOptionRule(
    DhcpOption Option, ReadOnlyMemory<byte> Value, bool Always = false, bool Omit = false);

/// <summary>Options that go together, and the name of the rule in an explanation.</summary>
public sealed class DhcpOptionSet(string rule, IReadOnlyList<DhcpOptionRule> options)
{
    private readonly DhcpOptionRule[] _options = [.. options];

    public static DhcpOptionSet Empty { get; } = new("", []);

    /// <summary>Who says so: <c>network lab</c>, <c>class pxe-x64</c>, <c>node shelf-3</c>.</summary>
    public string Rule => rule;

    public ReadOnlySpan<DhcpOptionRule> Options => _options;

    /// <summary>
    /// Whether an option is the server's own to say: no configuration may set it. 1 follows from the network's address,
    /// 51 from <c>lease</c>; the rest is of the protocol itself, or is the client's or the relay's to say.
    /// </summary>
    public static bool IsServersOwn(DhcpOption option) => (int)option
        is 0 or 1 or (>= 50 and <= 57) or 61 or 77 or 80 or 82 or 90 or 93 or 94 or 97 or 118 or 255;
}
