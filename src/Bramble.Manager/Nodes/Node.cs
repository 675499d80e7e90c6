using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>
/// One moment of a node: identity, wish and observation together. Readers keep it as long as they like.
/// </summary>
public sealed record NodeSnapshot(long Id, int Number, string Name, MacAddress Mac, NodeSpec Spec, NodeStatus Status);

/// <summary>
/// A node's long-lived identity; holds the newest snapshot. Only <see cref="NodeRegistry"/> replaces it.
/// </summary>
public sealed class Node(NodeSnapshot first)
{
    private volatile NodeSnapshot _current = first;

    public NodeSnapshot Current
    {
        get => _current;
        internal set => _current = value;
    }

    /// <summary>Status fields that changed since they were last written (times of last sight only).</summary>
    internal bool Dirty { get; set; }

    /// <summary>Rises with each change.</summary>
    internal long Version { get; set; } = 1;

    /// <summary>The newest version that the store has.</summary>
    internal long KeptVersion { get; set; }
}
