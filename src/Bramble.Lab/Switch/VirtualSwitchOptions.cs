using System.Net;
using Bramble.Wire;
using Bramble.Wire.Snmp;

namespace Bramble.Lab.Switch;

/// <summary>How a virtual switch is made. Its secrets are for the lab alone.</summary>
public sealed record VirtualSwitchOptions
{
    public string Name { get; init; } = "virtual-switch";

    /// <summary>Where the agent listens; port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    public int Ports { get; init; } = 48;

    public string ReadCommunity { get; init; } = "public";

    public string WriteCommunity { get; init; } = "private";

    /// <summary>Users of version 3. Whoever authenticates may read and write.</summary>
    public IReadOnlyList<UsmUser> Users { get; init; } = [];

    /// <summary>Five to 32 octets that no other engine has (RFC 3411 §5).</summary>
    public ReadOnlyMemory<byte> EngineId { get; init; } =
        (byte[])[0x80, 0, 0xff, 0xff, 4, .. "bramble-lab"u8];

    /// <summary>How often the agent has started. A switch that was restarted counts one more.</summary>
    public int EngineBoots { get; init; } = 1;

    /// <summary>Seconds that the agent has been up when the switch is made.</summary>
    public int EngineTime { get; init; }

    /// <summary>The number of the PoE group: the power supply, or the unit of a stack.</summary>
    public int PoeGroup { get; init; } = 1;

    /// <summary>Watts that the power supply can give to all ports together.</summary>
    public int BudgetWatts { get; init; } = 370;

    /// <summary>What is added to a port's number to give its ifIndex. Many switches have 0, some 10100.</summary>
    public int IfIndexOffset { get; init; }

    /// <summary>Shows the addresses in the Q-BRIDGE table only, as VLAN-aware switches do.</summary>
    public bool OnlyQBridge { get; init; }

    /// <summary>The bridge's own address.</summary>
    public MacAddress Address { get; init; } = new(0x02_42_72_00_00_01);

    public override string ToString() => $"{Name} at {Listen}, {Ports} ports";
}
