using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Bramble.Boot;
using Bramble.Boot.Images;
using Bramble.Contracts.Installer;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Manager.Nodes.Timeline;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>The board's credential is not, or no longer, good for this.</summary>
public sealed class CredentialException(string message) : Exception(message);

/// <summary>
/// The manager's side of the installer protocol (docs/protocols/installer.md): sessions, plans, progress. What a board
/// is told to write, and what it says it has finished, is durable before it is answered.
/// </summary>
public sealed partial class InstallerService(
    BrambleOptions options, NodeRegistry nodes, BootTimeline timeline, ImageStore images, ServerSecret secret,
    OverlayRenderer overlays, TimeProvider clock, ILogger<InstallerService> logger)
{
    private const int RetrySeconds = 10;

    /// <summary>Characters of a board's own words that are kept.</summary>
    private const int WordsKept = 1_000;

    private static readonly string[] s_steps =
        ["clock", "check", "write", "verify", "patch", "overlay", "grow", "done", "boot", "rescue", "failed"];

    private readonly ConcurrentDictionary<InstallJob, JobFiles> _files = new();

    /// <summary>Binds the one-time token to this kernel and answers with a session and a plan.</summary>
    public async Task<InstallerMessage> HelloAsync(
        string token, InstallerMessage message, IPv4Address from, CancellationToken cancellation)
    {
        if (!HelloMessage.TryRead(message, out var hello, out var error)) throw new BadHttpRequestException(error);
        if (!ServerSecret.TryReadClaim(token, out var nodeId, out var bootId)
            || !secret.Verify(token, CredentialKind.BootToken, nodeId, bootId)
            || nodes.Find(nodeId) is not { } node)
            throw new CredentialException("the token is not one of ours");
        var now = clock.GetUtcNow();
        // Judged where it is taken down: of two kernels that come with one token at once, one gets in.
        var (updated, durable) = nodes.Observe(nodeId, status => RequireUnused(status, bootId, hello.KernelId) with
        {
            SessionBootId = bootId,
            SessionKernelId = hello.KernelId,
            Architecture = hello.Architecture,
            Model = hello.Model.Length > 0 ? hello.Model : status.Model,
            Serial = status.Serial.Length > 0 ? status.Serial : Short(hello.Serial),
            MemoryBytes = status.MemoryBytes > 0 ? status.MemoryBytes : hello.MemoryBytes,
            Disks = hello.Disks,
            Address = from,
            LastSeenAt = now,
            RestartedGeneration =
                bootId > status.SessionBootId ? node.Spec.RestartGeneration : status.RestartedGeneration,
        }, "board");
        await durable.ConfigureAwait(false);
        var offset = hello.Clock == 0 ? "its clock could not be set"
            : $"clock off by {Math.Abs(hello.Clock - now.ToUnixTimeSeconds())} s";
        Step(nodeId, "hello", StepOutcome.Ok,
            $"{hello.Architecture}, kernel {hello.Kernel}, {hello.Disks.Count} disks, {offset}");
        var session = secret.Derive(CredentialKind.Session, nodeId, bootId, hello.KernelId);
        return await PlanAsync(
            updated ?? throw new CredentialException("the node was forgotten"), session, cancellation)
            .ConfigureAwait(false);
    }

    private static NodeStatus RequireUnused(NodeStatus status, long bootId, string kernelId) =>
        bootId < status.SessionBootId ? throw new CredentialException("the token belongs to an earlier boot")
        : bootId == status.SessionBootId && status.SessionKernelId.Length > 0 && kernelId != status.SessionKernelId
            ? throw new CredentialException("the token was used by another kernel")
        : status;

    /// <summary>Whose session this is.</summary>
    public NodeSnapshot Authenticate(string session)
    {
        if (!ServerSecret.TryReadClaim(session, out var nodeId, out var bootId) || nodes.Find(nodeId) is not { } node
            || !secret.Verify(session, CredentialKind.Session, nodeId, bootId, node.Status.SessionKernelId))
            throw new CredentialException("the session is not one of ours");
        return bootId == node.Status.SessionBootId ? node
            : throw new CredentialException("the session ended with that boot");
    }

    /// <summary>What the board is to do now.</summary>
    public async Task<InstallerMessage> PlanAsync(NodeSnapshot node, string? session, CancellationToken cancellation)
    {
        // A plan rests on what is known, and that may be in memory alone: an update that the store refused.
        await nodes.KeptAsync(node.Id).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        nodes.Seen(node.Id, status => status with { LastSeenAt = now });
        var plan = new InstallerMessage().Add("plan", 1);
        if (session is not null) plan.Add("session", session);
        plan.Add("node", node.Name);
        var decision = InstallPlanner.Decide(node, images.Find, options.Install, now);
        switch (decision)
        {
            case InstallDecision.Install install:
                try
                {
                    return await PlanInstallAsync(plan, node, install, cancellation).ConfigureAwait(false);
                }
                catch (Exception e)
                    when (e is TemplateException or ImageException or IOException or UnauthorizedAccessException)
                {
                    LogPlanFailed(e, node.Name);
                    return PlanWait(plan, node, new InstallDecision.Wait(e.Message, Trouble: true));
                }
            case InstallDecision.Boot boot:
                Step(node.Id, "boot", StepOutcome.Ok, $"from {boot.Installed.Disk} ({boot.Installed.Image})");
                Phase(node.Id, NodePhase.Booting, "");
                return plan.Add("action", "boot")
                    .Add("root-device", PartitionDevice(boot.Installed.Disk, boot.Installed.RootPartition))
                    .Add("root-fstype", boot.Installed.RootFileSystem).Add("init", "/sbin/init");
            case InstallDecision.Rescue:
                Step(node.Id, "rescue", StepOutcome.Ok, "reachable over SSH");
                Phase(node.Id, NodePhase.Rescue, "");
                plan.Add("action", "rescue").Add("retry", RetrySeconds);
                foreach (var key in options.Install.SshAuthorizedKeys) plan.Add("ssh-key", key);
                return plan;
            case InstallDecision.Reboot:
                Step(node.Id, "reboot", StepOutcome.Ok, "asked for");
                return plan.Add("action", "reboot");
            case InstallDecision.Wait wait:
                return PlanWait(plan, node, wait);
            default:
                throw new InvalidOperationException($"no plan for {decision}");
        }
    }

    /// <summary>
    /// Takes the board's word on how far it is. <c>done</c> and <c>failed</c> are durable when this returns.
    /// </summary>
    public async Task<InstallerMessage> ProgressAsync(NodeSnapshot node, InstallerMessage message)
    {
        var step = message["step"] ?? throw new BadHttpRequestException("'step' is missing");
        if (!s_steps.Contains(step))
            throw new BadHttpRequestException("'step' is none of " + string.Join(", ", s_steps));
        var detail = Cut(message["message"] ?? "");
        var (done, total) = (message.Number("done") ?? 0, message.Number("total") ?? 0);
        var now = clock.GetUtcNow();
        if (step is "boot" or "rescue" or "clock")
        {
            Step(node.Id, step, StepOutcome.Ok, detail);
            nodes.Seen(node.Id, status => status with { LastSeenAt = now });
            return Answer("continue");
        }
        if (!InstallJob.TryParse(message["job"], out var job) || job.NodeId != node.Id
            || node.Status.Attempt is not { } attempt || attempt.Generation != job.Generation)
        {
            // A repeat of what was answered before (the answer got lost, or the store refused it), or a job that is
            // over: the next plan tells.
            await nodes.KeptAsync(node.Id).ConfigureAwait(false);
            return Answer("plan");
        }
        switch (step)
        {
            case "done":
                await FinishAsync(node, attempt, now).ConfigureAwait(false);
                return Answer("plan");
            case "failed" when attempt.Failed:
                // The answer to it got lost: one failure, not two.
                await nodes.KeptAsync(node.Id).ConfigureAwait(false);
                return Answer("plan");
            case "failed":
                await FailAsync(node, attempt, detail.Length > 0 ? detail : "the installer gave no reason", now)
                    .ConfigureAwait(false);
                return Answer("plan");
        }
        var percent = total > 0 ? string.Create(CultureInfo.InvariantCulture,
            $"{done:N0} of {total:N0} bytes, {100.0 * done / total:0} %") : detail;
        Step(node.Id, step, StepOutcome.Ok, percent);
        nodes.Observe(node.Id, status => status with
        {
            Phase = NodePhase.Installing,
            Verdict = "",
            LastSeenAt = now,
            Attempt = attempt with
            {
                Step = step,
                DoneBytes = done,
                TotalBytes = total,
                Message = detail,
                Wrote = attempt.Wrote || step == "write",
            },
        }, "board");
        // A newer wish (another generation, rescue) takes effect at the next step, not after a write to the end.
        var isNewer = node.Spec.Generation > attempt.Generation || node.Spec.Goal != NodeGoal.Run;
        return Answer(isNewer ? "plan" : "continue");
    }

    /// <summary>The chunk list, patches and overlay of the job that this node is at.</summary>
    public async Task<JobFiles> FilesAsync(NodeSnapshot node, string? jobText, CancellationToken cancellation)
    {
        if (!InstallJob.TryParse(jobText, out var job) || job.NodeId != node.Id
            || node.Status.Attempt is not { } attempt || attempt.Generation != job.Generation)
            throw new CredentialException("that is not this node's job");
        if (_files.TryGetValue(job, out var files) && files.Digest == attempt.Digest) return files;
        var image = ImageOf(attempt)
            ?? throw new ImageException($"the image {attempt.Image} has been replaced since the plan was made");
        return await PrepareAsync(node, attempt, image, cancellation).ConfigureAwait(false);
    }

    private async Task<InstallerMessage> PlanInstallAsync(
        InstallerMessage plan, NodeSnapshot node, InstallDecision.Install install, CancellationToken cancellation)
    {
        var (attempt, image) = (install.Attempt, install.Image);
        var files = await PrepareAsync(node, attempt, image, cancellation).ConfigureAwait(false);
        var (_, durable) = nodes.Observe(node.Id, status => status with
        {
            Phase = NodePhase.Installing,
            Verdict = "",
            Attempt = attempt,
            SshHostKey = files.HostKey,
        }, "reconciler");
        await durable.ConfigureAwait(false);
        Step(node.Id, "install", StepOutcome.Ok,
            $"{image.Name} ({image.SizeBytes:N0} bytes) on {attempt.Disk}{(attempt.Wrote ? ", resumed" : "")}");
        plan.Add("action", "install").Add("job", new InstallJob(node.Id, attempt.Generation).ToString())
            .Add("resume", attempt.Wrote ? 1 : 0).Add("disk", attempt.Disk).Add("disk-size", attempt.DiskBytes);
        if (attempt.DiskSerial.Length > 0) plan.Add("disk-serial", attempt.DiskSerial);
        plan.Add("chunk-bytes", files.Chunks.ChunkBytes).Add("chunk-count", files.Chunks.Count);
        // 100 Mbit/s at most: slower than its gunzip. A Pi 4 on a gigabit is faster without.
        if (node.Status.Family is "Pi3B" or "Pi3BPlus") plan.Add("chunk-gzip", 1);
        for (var i = 0; i < files.Patches.Count; i++)
        {
            var patch = files.Patches[i];
            plan.Add("patch", $"{i} {patch.Offset} {patch.Bytes.Length} {Hex(SHA256.HashData(patch.Bytes))}");
        }
        return plan.Add("root-partition", image.RootPartition.Number)
            .Add("root-fstype", image.RootPartition.FileSystem).Add("grow", image.CanGrow ? 1 : 0)
            .Add("overlay", $"{files.Overlay.Length} {Hex(SHA256.HashData(files.Overlay))}");
    }

    private async Task<JobFiles> PrepareAsync(
        NodeSnapshot node, InstallAttempt attempt, BootImage image, CancellationToken cancellation)
    {
        var network = options.Networks.FirstOrDefault(n => n.Name == node.Status.Network)
            ?? throw new ImageException($"its network '{node.Status.Network}' is not in the configuration any more");
        var (tar, hostKey) = await overlays.RenderAsync(node, network, attempt, cancellation).ConfigureAwait(false);
        using var raw = images.OpenRaw(image);
        var patches = CardBoot.Hide(images.PlanGrow(image, attempt.DiskBytes), image, node.Status.Family, raw);
        var files = new JobFiles(image, attempt.Digest, images.OpenChunks(image), patches, tar, hostKey);
        _files[new InstallJob(node.Id, attempt.Generation)] = files;
        return files;
    }

    private async Task FinishAsync(NodeSnapshot node, InstallAttempt attempt, DateTimeOffset now)
    {
        if (ImageOf(attempt) is not { RootPartition: var root })
        {
            await FailAsync(node, attempt, $"the image {attempt.Image} was removed while it was installed", now)
                .ConfigureAwait(false);
            return;
        }
        var (_, durable) = nodes.Observe(node.Id, status => status with
        {
            Installed = new InstallRecord(attempt.Image, attempt.Digest, attempt.Disk, root.Number,
                root.FileSystem, attempt.Generation, now),
            Attempt = null,
            Phase = NodePhase.Booting,
            Verdict = "",
            LastSeenAt = now,
        }, "board");
        await durable.ConfigureAwait(false);
        _files.TryRemove(new InstallJob(node.Id, attempt.Generation), out _);
        Step(node.Id, "done", StepOutcome.Ok,
            $"{attempt.Image} on {attempt.Disk} in {(now - attempt.StartedAt).TotalSeconds:0} s, verified");
    }

    private async Task FailAsync(NodeSnapshot node, InstallAttempt attempt, string why, DateTimeOffset now)
    {
        var failures = attempt.Failures + 1;
        var givenUp = failures >= options.Install.Tries;
        var (_, durable) = nodes.Observe(node.Id, status => status with
        {
            Attempt = attempt with
            {
                Failed = true,
                Failures = failures,
                Message = why,
                RetryAt = givenUp ? null : now + InstallPlanner.BackOff(failures),
            },
            Phase = NodePhase.Failed,
            Verdict = givenUp ? $"the install failed {failures} times, last: {why}" : $"the install failed: {why}",
            LastSeenAt = now,
        }, "board");
        await durable.ConfigureAwait(false);
        Step(node.Id, "failed", StepOutcome.Failed, why);
        if (givenUp) timeline.End(node.Id, BootOutcome.Stopped, $"the install failed {failures} times, last: {why}");
    }

    private InstallerMessage PlanWait(InstallerMessage plan, NodeSnapshot node, InstallDecision.Wait wait)
    {
        Step(node.Id, "wait", wait.Trouble ? StepOutcome.Failed : StepOutcome.Ok, wait.Reason);
        Phase(node.Id, wait.Trouble ? NodePhase.Failed : NodePhase.Booting, wait.Reason);
        return plan.Add("action", "wait").Add("retry", RetrySeconds).Add("reason", wait.Reason);
    }

    private void Phase(long nodeId, NodePhase phase, string verdict) => nodes.Observe(nodeId, status =>
        status.Phase == phase && status.Verdict == verdict ? status
            : status with { Phase = phase, Verdict = verdict }, "reconciler");

    private void Step(long nodeId, string what, StepOutcome outcome, string detail) => timeline.Add(nodeId,
        new BootStep(clock.GetUtcNow(), BootStage.Installer, what, outcome, detail));

    /// <summary>By the whole digest: two names may stand for one content.</summary>
    private BootImage? ImageOf(InstallAttempt attempt) =>
        images.Images.FirstOrDefault(i => i.Digest == attempt.Digest && i.Name == attempt.Image)
        ?? images.Images.FirstOrDefault(i => i.Digest == attempt.Digest);

    private static string Cut(string words) => words.Length <= WordsKept ? words : words[..WordsKept] + "…";

    private static InstallerMessage Answer(string what) => new InstallerMessage().Add("answer", what);

    /// <summary><c>/dev/mmcblk0p2</c>, <c>/dev/nvme0n1p2</c>, <c>/dev/sda2</c>.</summary>
    public static string PartitionDevice(string disk, int number) =>
        char.IsAsciiDigit(disk[^1]) ? $"{disk}p{number}" : $"{disk}{number}";

    private static string Short(string serial) => serial.Length > 8 ? serial[^8..] : serial;

    private static string Hex(byte[] octets) => Convert.ToHexStringLower(octets);

    [LoggerMessage(2001, LogLevel.Error, "No install plan could be made for {Node}")]
    private partial void LogPlanFailed(Exception exception, string node);
}

/// <summary>What a job's later calls fetch, fixed when its plan is made.</summary>
public sealed record JobFiles(
    BootImage Image, string Digest, ChunkIndex Chunks, IReadOnlyList<DiskPatch> Patches, byte[] Overlay,
    string HostKey);
