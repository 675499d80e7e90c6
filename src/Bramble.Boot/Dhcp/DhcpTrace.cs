using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Which rule put each option into an answer, and how the rest was decided. Made only where somebody asks for an
/// explanation; everywhere else there is none, and nothing is spent on it.
/// </summary>
public sealed class DhcpTrace
{
    private readonly string?[] _rules = new string?[256];
    private readonly List<string> _notes = [];

    /// <summary>The steps of the decision, in words.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>The rule behind an option; empty if none was noted.</summary>
    public string this[DhcpOption option] => _rules[(int)option] ?? "";

    public void Note(string note) => _notes.Add(note);

    /// <summary>A rule has set an option, or replaced what another one said.</summary>
    public void Rule(DhcpOption option, string rule) => _rules[(int)option] = rule;

    /// <summary>A rule has set each option that is there and that none has claimed.</summary>
    public void Rest(DhcpOptions options, string rule)
    {
        for (var i = 0; i < options.Count; i++) _rules[(int)options.OptionAt(i)] ??= rule;
    }
}
