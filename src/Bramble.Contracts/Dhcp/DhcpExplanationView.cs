namespace Bramble.Contracts.Dhcp;

/// <summary>Asks what would be answered: to a client's DISCOVER, or to packets as they are.</summary>
public sealed record DhcpExplainRequest
{
    /// <summary>The client whose DISCOVER is to be explained; null if packets are given.</summary>
    public string? Mac { get; init; }

    /// <summary>
    /// Its architecture (option 93); null: what is known of the node, else that of its maker's boards.
    /// </summary>
    public int? Architecture { get; init; }

    /// <summary>Its user class (option 77), such as <c>iPXE</c>.</summary>
    public string? UserClass { get; init; }

    /// <summary>The network on which it is heard; null: where the node was heard last, else the only one.</summary>
    public string? Network { get; init; }

    /// <summary>DHCP messages (the payload of UDP) in hex.</summary>
    public IReadOnlyList<string>? Packets { get; init; }
}

/// <summary>One packet, and what it would be answered now.</summary>
/// <param name="Question">What was asked: <c>DISCOVER</c>; <c>DHCP</c> for what cannot be read.</param>
/// <param name="Outcome"><c>answered</c>, <c>noted</c> (no answer belongs to it) or <c>ignored</c>.</param>
/// <param name="Reason">Why it is ignored, as the counters call it; null if it is not.</param>
/// <param name="Detail">The outcome in words.</param>
/// <param name="Notes">The steps of the decision.</param>
public sealed record DhcpExplanationView(
    string Network, string Question, string? Mac, string? Board, string Outcome, string? Reason, string Detail,
    IReadOnlyList<string> Notes)
{
    /// <summary>The answer; null if there is none.</summary>
    public DhcpAnswerView? Answer { get; init; }
}

/// <param name="Message"><c>OFFER</c>, <c>ACK</c>, <c>NAK</c>, <c>BOOTREPLY</c>.</param>
/// <param name="To">Address and port to which it is sent.</param>
/// <param name="YourAddress">The address that the client gets; null if it gets none.</param>
/// <param name="NextServer">siaddr; null if it is empty.</param>
/// <param name="BootFile">The field <c>file</c>; null if it is empty.</param>
/// <param name="DelayMilliseconds">How long it is held back.</param>
/// <param name="Packet">The whole answer in hex.</param>
public sealed record DhcpAnswerView(
    string Message, string To, string? YourAddress, string? NextServer, string? BootFile, int DelayMilliseconds,
    IReadOnlyList<DhcpOptionView> Options, string Packet);

/// <param name="Value">In words, as the option's type says.</param>
/// <param name="Hex">The same as octets.</param>
/// <param name="Rule">
/// Which rule put it there: <c>network lab</c>, <c>class pxe-x64</c>, <c>RFC 2131: always</c>.
/// </param>
/// <param name="Sent">False if it is left out, because the answer is too long for the client.</param>
public sealed record DhcpOptionView(int Number, string Name, string Value, string Hex, string Rule, bool Sent);
