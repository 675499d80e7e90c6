using Bramble.Wire.Snmp;

namespace Bramble.Manager.Power.Snmp;

internal enum SnmpFailure
{
    /// <summary>Nothing came back in any try.</summary>
    NoAnswer,

    /// <summary>The agent answered with an error-status.</summary>
    Refused,

    /// <summary>The agent does not take the user, the password or the level.</summary>
    Security,

    /// <summary>The name does not resolve, or there is no way to the address.</summary>
    Unreachable,

    /// <summary>The answer came, and makes no sense.</summary>
    Nonsense,
}

/// <summary>An SNMP exchange that failed; the message is meant to stand behind the device's name.</summary>
internal sealed class SnmpException(SnmpFailure failure, string message, Exception? cause = null)
    : Exception(message, cause)
{
    public SnmpFailure Failure { get; } = failure;

    /// <summary>With <see cref="SnmpFailure.Refused"/>, the agent's reason.</summary>
    public SnmpErrorStatus Status { get; init; }
}
