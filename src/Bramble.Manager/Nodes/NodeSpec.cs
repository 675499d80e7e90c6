using Bramble.Contracts.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>What the operator wants of a node. Written by the API and the configuration only.</summary>
public sealed record NodeSpec
{
    public NodeGoal Goal { get; init; } = NodeGoal.Run;

    public bool Adopted { get; init; }

    /// <summary>Null: the image of the configuration.</summary>
    public string? Image { get; init; }

    /// <summary>Null: the rule of the configuration.</summary>
    public string? Disk { get; init; }

    /// <summary>Rises with each wish to install; the node is installed when its status has caught up.</summary>
    public long Generation { get; init; } = 1;

    /// <summary>The newest generation that may overwrite a disk which holds data: an operator asked for it.</summary>
    public long OverwriteGeneration { get; init; }

    public IPv4Address? ReservedAddress { get; init; }

    public string? PowerDevice { get; init; }

    public string? PowerPort { get; init; }

    public bool PowerOn { get; init; } = true;

    /// <summary>Rises with each wish to restart; done when the status has caught up.</summary>
    public long RestartGeneration { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
