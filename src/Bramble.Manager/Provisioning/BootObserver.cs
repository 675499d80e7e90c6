using Bramble.Boot;
using Bramble.Boot.Loaders;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;

namespace Bramble.Manager.Provisioning;

/// <summary>Turns what the boot servers see into boots of nodes: opens them, fills their timelines.</summary>
public sealed class BootObserver(NodeRegistry nodes, BootTimeline timeline, TimeProvider clock)
{
    /// <summary>A board was heard on a network: takes down what its packet tells of it.</summary>
    public void Heard(NodeSnapshot node, BoardSighting sighting)
    {
        var board = sighting.Board;
        if (board.Family is BoardFamily.PlainClient or BoardFamily.Unknown) return;
        var status = node.Status;
        if (status.Network == sighting.Network && status.Family == board.Family.ToString()
            && (board.Architecture.Length == 0 || status.Architecture.Length > 0)
            && FirmwareOf(status, board) == status.Firmware
            && (board.Serial.Length == 0 || status.Serial == board.Serial))
            return;
        nodes.Observe(node.Id, s => Describe(s, sighting), "board");
    }

    /// <summary>What a first packet tells of a board.</summary>
    public static NodeStatus Describe(NodeStatus status, BoardSighting sighting)
    {
        var board = sighting.Board;
        return status with
        {
            Network = sighting.Network,
            Family = board.Family.ToString(),
            Serial = board.Serial.Length > 0 ? board.Serial : status.Serial,
            // What its own system said of it is more than what its boot ROM can.
            Model = board.Model.Length > 0 && (board.Family != BoardFamily.Pxe || status.Model.Length == 0)
                ? board.Model : status.Model,
            Firmware = FirmwareOf(status, board),
            Architecture = status.Architecture.Length > 0 ? status.Architecture : board.Architecture,
            Maker = board.Maker.Length > 0 ? board.Maker : status.Maker,
            MemoryBytes = board.MemoryBytes > 0 ? board.MemoryBytes : status.MemoryBytes,
        };
    }

    /// <summary>iPXE, which the firmware may have loaded, does not say from what it was loaded.</summary>
    private static string FirmwareOf(NodeStatus status, BoardIdentity board) =>
        board is { Family: BoardFamily.Pxe, ClientArchitecture: { } architecture }
            && (board.Client != BootClient.Ipxe || status.Firmware.Length == 0)
            ? ClientArchitecture.NameOf(architecture) : status.Firmware;

    /// <summary>Files a step under the node's newest boot; a boot loader's DISCOVER may open a new one.</summary>
    public void Step(NodeSnapshot node, BootStep step)
    {
        var now = clock.GetUtcNow();
        var fromLoader = step.Board is { Family: not (BoardFamily.PlainClient or BoardFamily.Unknown) };
        // A board that was adopted while it kept asking has no boot of its own yet, and so no token.
        var isNew = timeline.StartsNewBoot(node.Id, now, chained: step.Board?.Client == BootClient.Ipxe)
            || (node.Spec.Adopted && node.Status.BootId == 0);
        if (fromLoader && step.What == "DISCOVER" && isNew)
        {
            var bootId = timeline.Start(node.Id, now, node.Status.Family, node.Status.BootId);
            if (node.Spec.Adopted)
                nodes.Observe(node.Id, status => NodeLifecycle.BootStarted(status, bootId), "board");
        }
        timeline.Add(node.Id, step);
        nodes.Seen(node.Id, status => status with
        {
            LastSeenAt = now,
            Address = step.Address ?? status.Address,
        });
    }
}
