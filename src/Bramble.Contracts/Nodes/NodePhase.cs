namespace Bramble.Contracts.Nodes;

/// <summary>Where a node is in its life. Written in lower case on the wire and in the store.</summary>
public enum NodePhase
{
    /// <summary>Heard on the network; nobody has said that it is ours.</summary>
    Discovered,

    /// <summary>Ours; not seen booting since.</summary>
    Adopted,

    /// <summary>Asking the boot servers for its files, or about to start its installed system.</summary>
    Booting,

    /// <summary>The installer is writing its disk.</summary>
    Installing,

    /// <summary>Its installed system reports in with its credential.</summary>
    Running,

    /// <summary>In the rescue system, reachable over SSH.</summary>
    Rescue,

    /// <summary>The boot or the install stopped; the verdict says where and why.</summary>
    Failed,

    /// <summary>It was running and has fallen silent.</summary>
    Lost,
}

/// <summary>What the operator wants of a node.</summary>
public enum NodeGoal
{
    /// <summary>Installed with its image and running.</summary>
    Run,

    /// <summary>In the rescue system.</summary>
    Rescue,

    /// <summary>Held in the initramfs, nothing written, until told otherwise.</summary>
    Wait,
}
