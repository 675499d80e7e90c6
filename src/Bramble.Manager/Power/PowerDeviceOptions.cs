namespace Bramble.Manager.Power;

/// <summary>A power device as it is configured. Its text form shows no secret.</summary>
public abstract record PowerDeviceOptions
{
    /// <summary>What the operator calls it: the first half of a power port.</summary>
    public required string Name { get; init; }

    /// <summary><c>poe-snmp</c>, <c>exec</c> or <c>none</c>.</summary>
    public abstract string Kind { get; }

    public sealed override string ToString() => $"{Kind} {Name}{Where}";

    /// <summary>Where it is, for the text form.</summary>
    protected virtual string Where => "";
}

/// <summary>A switch that feeds its ports by Ethernet (RFC 3621) and is managed by SNMP.</summary>
public sealed record PoeSwitchOptions : PowerDeviceOptions
{
    public override string Kind => "poe-snmp";

    /// <summary>An address, or a name that resolves to one.</summary>
    public required string Host { get; init; }

    public int Port { get; init; } = 161;

    /// <summary><c>1</c>, <c>2c</c> or <c>3</c>.</summary>
    public string Version { get; init; } = "2c";

    /// <summary>Versions 1 and 2c: the password, as it is sent; <c>private@3</c> where each VLAN has its own.</summary>
    public string Community { get; init; } = "";

    /// <summary>
    /// Versions 1 and 2c: the password for the address tables, where a switch wants another one there; empty means
    /// <see cref="Community"/>.
    /// </summary>
    public string FindCommunity { get; init; } = "";

    /// <summary>Version 3: the user.</summary>
    public string User { get; init; } = "";

    /// <summary>
    /// Version 3: <c>none</c>, <c>md5</c>, <c>sha</c>, <c>sha-256</c>, <c>sha-384</c> or <c>sha-512</c>.
    /// </summary>
    public string AuthProtocol { get; init; } = "sha";

    public string AuthPassword { get; init; } = "";

    /// <summary>Version 3: <c>none</c>, <c>des</c> or <c>aes</c> (128 bits).</summary>
    public string PrivProtocol { get; init; } = "none";

    public string PrivPassword { get; init; } = "";

    /// <summary>The PoE group: 1 on most switches, the unit's number in a stack.</summary>
    public int Group { get; init; } = 1;

    /// <summary>
    /// What to take from an interface's index (ifIndex) to get the number of its PoE port: 0 on most switches, 10100
    /// where port 1 is interface 10101.
    /// </summary>
    public int PortOffset { get; init; }

    /// <summary>How long the first try waits; each further one waits twice as long as the one before.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Tries after the first.</summary>
    public int Retries { get; init; } = 2;

    protected override string Where => $" at {Host}:{Port} by SNMP v{Version}";
}

/// <summary>A program of the operator's that switches ports: a relay board, a smart plug, an IPMI tool.</summary>
public sealed record ExecOptions : PowerDeviceOptions
{
    public override string Kind => "exec";

    /// <summary>
    /// The program and its arguments, each its own; never a shell line. <c>{port}</c>, <c>{action}</c> (<c>on</c>,
    /// <c>off</c>, <c>status</c>) and <c>{node}</c> (empty if no node hangs there) are put in.
    /// </summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>After which the program is killed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    // An argument may be a token: only the program is shown.
    protected override string Where => Command.Count > 0 ? $" by {Command[0]}" : "";
}

/// <summary>Nothing switches the power: a person does.</summary>
public sealed record NoPowerOptions : PowerDeviceOptions
{
    public override string Kind => "none";
}
