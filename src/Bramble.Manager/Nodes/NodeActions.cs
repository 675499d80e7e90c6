using Bramble.Boot.Images;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Api;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Manager.Power;
using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Nodes;

/// <summary>
/// The verbs on nodes. Each is a change of the wish, made durable; reconcilers and boards carry it out. The same path
/// serves the command line, the API and the web page.
/// </summary>
public sealed class NodeActions(
    BrambleOptions options, NodeRegistry nodes, ImageStore images, PowerService power, PowerReconciler powerReconciler,
    BootTimeline timeline, HostKeys hostKeys)
{
    public async Task<NodeActionResult> ActAsync(NodeVerb verb, NodeActionRequest request, string actor)
    {
        if (request.Image is { } image && images.Find(image) is null)
            throw ProblemException.NotFound(
                $"there is no image '{image}'; bramble image ls shows those that there are");
        if (request.Disk is { } disk) NodeChanges.CheckDisk(disk);
        var selected = NodeEndpoints.Select(nodes, request.Select ?? [], request.All);
        // All at once, so that a whole rack shares a few commits.
        var outcomes = await Task.WhenAll(selected.Select(ActOnAsync)).ConfigureAwait(false);
        return new NodeActionResult(request.DryRun, outcomes);

        async Task<NodeActionOutcome> ActOnAsync(NodeSnapshot node)
        {
            var (accepted, message) = Judge(verb, node, request);
            if (accepted && !request.DryRun)
                message = await CarryOutAsync(verb, node, request, actor).ConfigureAwait(false);
            return new NodeActionOutcome(node.Id, node.Number, node.Name, accepted, message);
        }
    }

    /// <summary>Whether the verb makes sense for the node now, and what it would do.</summary>
    private (bool Accepted, string Message) Judge(NodeVerb verb, NodeSnapshot node, NodeActionRequest request)
    {
        if (verb is NodeVerb.Adopt)
            return node.Spec.Adopted ? (true, "is adopted already") : (true, "would be adopted");
        if (verb is NodeVerb.Forget) return (true, "would be forgotten, its credential with it");
        if (!node.Spec.Adopted) return (false, "is not adopted: bramble node adopt first");
        if (verb is NodeVerb.Install or NodeVerb.Reinstall)
        {
            var name = request.Image ?? node.Spec.Image
                ?? options.Install.ImageFor(node.Status.Architecture);
            if (name is null) return (false, "has no image: say --image");
            if (images.Find(name) is not { } image) return (false, $"its image '{name}' is not in the store");
            if (verb is NodeVerb.Install && node.Status.Installed?.Digest == image.Digest
                && !NodeLifecycle.NeedsInstall(node.Spec, node.Status))
                return (true, $"has {name} already");
            var rule = request.Disk ?? node.Spec.Disk ?? options.Install.Disk.ToString();
            return (true, $"would have {name} written over {rule}, all data on it lost{HowItStarts(node)}");
        }
        if (verb is NodeVerb.Restart && !node.Spec.PowerOn)
            return (false, "is meant to be off: bramble power on");
        if (verb is NodeVerb.Restart && !power.Controls(node) && !IsListening(node))
            return (false, "has no power port, and neither its system nor its installer is there to be told");
        return (true, verb switch
        {
            NodeVerb.Restart => power.Controls(node) ? $"would be power-cycled at {PowerService.PortOf(node)}"
                : "would be told to restart",
            NodeVerb.Rescue => "would come up in rescue at its next boot",
            NodeVerb.Wait => "would wait in the initramfs at its next boot",
            _ => "would boot its installed system",
        });
    }

    private async Task<string> CarryOutAsync(NodeVerb verb, NodeSnapshot node, NodeActionRequest request, string actor)
    {
        switch (verb)
        {
            case NodeVerb.Adopt when node.Spec.Adopted:
                return "is adopted already";
            case NodeVerb.Adopt:
                await UpdateAsync(node, n => n with
                {
                    Spec = n.Spec with { Adopted = true },
                    Status = n.Status with { Phase = NodePhase.Adopted, Verdict = "" },
                }, actor).ConfigureAwait(false);
                return "adopted; a Pi 3 has stopped asking by now and needs a power cycle";
            case NodeVerb.Forget:
                await nodes.RemoveAsync(node.Id, actor).ConfigureAwait(false);
                timeline.Forget(node.Id);
                hostKeys.Forget(node.Id);
                return "forgotten";
            case NodeVerb.Install when Judge(verb, node, request).Message.EndsWith("already", StringComparison.Ordinal):
                return Judge(verb, node, request).Message;
            case NodeVerb.Install or NodeVerb.Reinstall:
                await UpdateAsync(node, n => n with { Spec = Installing(n, request) }, actor).ConfigureAwait(false);
                return await RestartAsync(node, $"{NodeWord(verb)} asked for", actor).ConfigureAwait(false)
                    ? "will be installed; it is restarting" : "will be installed at its next boot; restart it yourself";
            case NodeVerb.Restart:
                if (power.Controls(node)) await RestartAsync(node, "restart asked for", actor).ConfigureAwait(false);
                else await TellToRestartAsync(node, actor).ConfigureAwait(false);
                return power.Controls(node) ? "is being power-cycled" : "was told to restart";
            default:
                await UpdateAsync(node, n => n with
                {
                    Spec = n.Spec with
                    {
                        Goal = verb switch
                        {
                            NodeVerb.Rescue => NodeGoal.Rescue,
                            NodeVerb.Wait => NodeGoal.Wait,
                            _ => NodeGoal.Run,
                        },
                    },
                    Status = n.Status with
                    {
                        // The failures are forgiven; that the disk was ours to write stays known.
                        Attempt = verb is NodeVerb.Boot && n.Status.Attempt is { } attempt
                            ? attempt with { Failed = false, Failures = 0, RetryAt = null } : n.Status.Attempt,
                        Watchdog = new WatchdogRecord(),
                    },
                }, actor).ConfigureAwait(false);
                // One that sits in the initramfs asks again by itself; another has to boot to hear of it.
                if (IsInInitramfs(node)) return "told; it hears of it within seconds";
                return await RestartAsync(node, $"{NodeWord(verb)} asked for", actor).ConfigureAwait(false)
                    ? "told; it is restarting" : "takes effect at its next boot; restart it yourself";
        }
    }

    private static NodeSpec Installing(NodeSnapshot node, NodeActionRequest request)
    {
        var generation = Math.Max(node.Spec.Generation, node.Status.Installed?.Generation ?? 0) + 1;
        return node.Spec with
        {
            Goal = NodeGoal.Run,
            Image = request.Image ?? node.Spec.Image,
            Disk = request.Disk ?? node.Spec.Disk,
            Generation = generation,
            OverwriteGeneration = generation,
        };
    }

    private async Task<bool> RestartAsync(NodeSnapshot node, string why, string actor)
    {
        // A power cycle ends with the power on: not for one that is meant to be off.
        if (!node.Spec.PowerOn) return false;
        if (power.Controls(node))
        {
            await powerReconciler.BeginCycleAsync(node.Id, why, actor).ConfigureAwait(false);
            return true;
        }
        // One in the initramfs asks for its plan every few seconds, and need not restart for it.
        if (!IsInInitramfs(node)) await TellToRestartAsync(node, actor).ConfigureAwait(false);
        return IsListening(node);
    }

    private Task TellToRestartAsync(NodeSnapshot node, string actor) => UpdateAsync(
        node, n => n with { Spec = n.Spec with { RestartGeneration = n.Spec.RestartGeneration + 1 } }, actor);

    private async Task UpdateAsync(NodeSnapshot node, Func<NodeSnapshot, NodeSnapshot> change, string actor)
    {
        var (_, durable) = nodes.Update(node.Id, change, actor);
        await durable.ConfigureAwait(false);
    }

    private string HowItStarts(NodeSnapshot node) =>
        power.Controls(node) || IsListening(node) ? ""
            : ", at its next boot (it has no power port: restart it yourself)";

    /// <summary>
    /// Whether its installer is there and asks: the boot has come to it, has not stopped, has not gone on.
    /// </summary>
    private bool IsInInitramfs(NodeSnapshot node) => node.Status.Phase is NodePhase.Rescue
        || (node.Status.Phase is NodePhase.Installing or NodePhase.Failed or NodePhase.Booting
            && node.Status.SessionBootId == node.Status.BootId && node.Status.BootId != 0
            && timeline.Newest(node.Id) is { Outcome: "going" } boot
            && boot.Steps.LastOrDefault(step => step.Stage == "installer") is { What: not "boot" });

    private bool IsListening(NodeSnapshot node) => node.Status.Phase == NodePhase.Running || IsInInitramfs(node);

    private static string NodeWord(NodeVerb verb) => verb.ToString().ToLowerInvariant();
}
