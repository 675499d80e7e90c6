using System.Text;
using System.Text.RegularExpressions;
using Bramble.Boot;
using Bramble.Boot.Images;
using Bramble.Contracts.Nodes;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// What a node would be given if it booted now, file by file. It opens what the doors would; it changes nothing.
/// </summary>
public sealed partial class BootExplainer(BrambleOptions options, NodeFiles files, ImageStore images)
{
    private const int LargestText = 64 << 10;

    /// <param name="show">A path whose text is wanted as well; null for none.</param>
    public BootExplanationView Explain(NodeSnapshot node, string? show, DateTimeOffset now)
    {
        var machine = node.Status.Model.Length > 0 ? node.Status.Model : node.Status.Family;
        if (node.Status.Firmware.Length > 0) machine = $"{machine}, {node.Status.Firmware}";
        if (options.Networks.FirstOrDefault(n => n.Name == node.Status.Network) is not { } network)
        {
            return new BootExplanationView(node.Name, machine, null,
                node.Status.Network.Length == 0 ? "it was never heard, so nothing is known of how it boots"
                    : $"its network {node.Status.Network} is not configured any more", []);
        }
        var config = Text(node, network, "config.txt") ?? "";
        var sequence = BootSequence.Of(node.Status, network.Loaders, node.Mac.ToString(), config);
        return new BootExplanationView(node.Name, machine, files.ImageOf(node)?.Name, Then(node, now),
            [.. sequence.Select(file => Explain(node, network, file))])
        {
            Text = show is null ? null : Text(node, network, show) is { } text ? Redacted(text) : null,
        };
    }

    private BootFileView Explain(NodeSnapshot node, NetworkOptions network, BootSequenceFile file)
    {
        var answer = files.Open(node, network, file.Path);
        using (answer.Content)
        {
            return new BootFileView(file.Path, file.Door.ToString().ToLowerInvariant(), answer.Content?.Length,
                answer.Content is null ? answer.Reason : answer.Source ?? "", file.Needed);
        }
    }

    private string Then(NodeSnapshot node, DateTimeOffset now) =>
        !node.Spec.Adopted ? "it is not answered: not adopted"
        : InstallPlanner.Decide(node, images.Find, options.Install, now) switch
        {
            InstallDecision.Install install => $"installs {install.Image.Name} on {install.Attempt.Disk}",
            InstallDecision.Boot boot => $"boots {boot.Installed.Image} from {boot.Installed.Disk}",
            InstallDecision.Rescue => "stays in rescue",
            InstallDecision.Reboot => "restarts once, as it was asked to",
            InstallDecision.Wait wait => $"waits: {wait.Reason}",
            var other => other.ToString() ?? "",
        };

    private string? Text(NodeSnapshot node, NetworkOptions network, string path)
    {
        if (!BootPath.TryNormalize(path, out var normal, out _)) return null;
        using var content = files.Open(node, network, normal).Content;
        if (content is null || content.Length > LargestText) return null;
        var octets = new byte[content.Length];
        var n = content.Read(0, octets);
        return octets.AsSpan(0, n).Contains((byte)0) ? null : Encoding.UTF8.GetString(octets, 0, n);
    }

    /// <summary>The token is good for one boot of this node, and for nobody's eyes.</summary>
    private static string Redacted(string text) => Token().Replace(text, "bramble.token=(left out)");

    [GeneratedRegex(@"bramble\.token=[^\s']+")]
    private static partial Regex Token();
}
