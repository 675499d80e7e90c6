using Bramble.Boot;
using Bramble.Contracts.Installer;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>Takes the reports of installed systems: what makes a node <em>running</em>.</summary>
public sealed class NodeReports(
    BrambleOptions options, NodeRegistry nodes, BootTimeline timeline, ServerSecret secret, TimeProvider clock)
{
    public async Task<InstallerMessage> TakeAsync(string credential, InstallerMessage message, IPv4Address from)
    {
        if (!ServerSecret.TryReadClaim(credential, out var nodeId, out var generation)
            || !secret.Verify(credential, CredentialKind.Node, nodeId, generation)
            || nodes.Find(nodeId) is not { } node || !node.Spec.Adopted)
            throw new CredentialException("the credential is not one of ours, or its node was forgotten");
        if (node.Status.Installed?.Generation != generation)
            throw new CredentialException("the credential belongs to an earlier install of this node");
        if (message["boot-id"] is not { Length: > 0 and <= 64 } kernelId)
            throw new BadHttpRequestException("'boot-id' is missing or too long");
        var now = clock.GetUtcNow();
        if (node.Status.Phase == NodePhase.Running && node.Status.ReportedKernelId == kernelId && nodes.IsKept(nodeId))
        {
            nodes.Seen(nodeId, status => status with { LastReportAt = now, LastSeenAt = now, Address = from });
        }
        else
        {
            var (_, durable) = nodes.Update(nodeId, n => n with
            {
                Status = NodeLifecycle.Reported(n.Status, kernelId, now) with
                {
                    Address = from,
                    // Another kernel than last time: it has restarted, whoever made it.
                    RestartedGeneration = n.Status.ReportedKernelId == kernelId
                        ? n.Status.RestartedGeneration : n.Spec.RestartGeneration,
                },
            }, "board");
            await durable.ConfigureAwait(false);
            timeline.Add(nodeId, new BootStep(now, BootStage.System, "running", StepOutcome.Ok,
                $"{message["hostname"]}, kernel {message["kernel"]}, up {message["uptime"]} s"));
            timeline.End(nodeId, BootOutcome.Running, "the installed system reports in");
        }
        var answer = new InstallerMessage().Add("next", (long)options.Lifecycle.ReportInterval.TotalSeconds);
        if (nodes.Find(nodeId) is { } current && current.Spec.RestartGeneration > current.Status.RestartedGeneration)
            answer.Add("action", "reboot");
        return answer;
    }
}
