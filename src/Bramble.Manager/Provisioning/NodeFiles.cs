using System.Collections.Concurrent;
using System.Text;
using Bramble.Boot;
using Bramble.Boot.Images;
using Bramble.Boot.Loaders;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Which file a node gets for a path, in this order: the operator's template, a boot loader, what is made for it, the
/// image's own, the network's plain boot tree.
/// </summary>
public sealed partial class NodeFiles(
    BrambleOptions options, ImageStore images, LoaderFiles loaders, ServerSecret secret, ILoggerFactory loggers)
{
    private const string KernelName = "vmlinuz";

    private readonly ConcurrentDictionary<string, IBootTree> _trees = new();
    private readonly ILogger _logger = loggers.CreateLogger<NodeFiles>();

    /// <summary>The image that a node boots from and is installed with; null if there is none.</summary>
    public BootImage? ImageOf(NodeSnapshot node) =>
        (node.Spec.Image ?? options.Install.ImageFor(node.Status.Architecture)) is { } name ? images.Find(name) : null;

    /// <summary>Opens a file for a node; the caller disposes the content.</summary>
    public BootFileAnswer Open(NodeSnapshot node, NetworkOptions network, string path)
    {
        try
        {
            return OpenFor(node, network, path);
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ImageException or TemplateException)
        {
            LogOpenFailed(e, path, node.Name);
            return new BootFileAnswer(null, BootRefusal.Failed, e.Message);
        }
    }

    private BootFileAnswer OpenFor(NodeSnapshot node, NetworkOptions network, string path)
    {
        if (Template(node, network, path) is { } rendered) return Generated(rendered, "template of the operator");
        if (loaders.TryFind(path, out var loader)) return FromFile(loader, loader);
        if (ImageOf(node) is not { } image)
        {
            if (network.BootTree is { } directory)
                return FromTree(_trees.GetOrAdd(directory, DirectoryTree), path, directory);
            return BootFileAnswer.NotFound($"{node.Name} has no image and its network no boot_tree");
        }
        var tree = _trees.GetOrAdd(image.Digest, _ => images.OpenBootTree(image));
        var script = BootScriptFor(node, path);
        if (script is not null || path == LoaderChoice.UnifiedKernel)
        {
            if (!RunsOn(image, node))
                return BootFileAnswer.NotFound(
                    $"the image '{image.Name}' is for {image.Architecture}, the machine is {node.Status.Architecture}");
            var commandLine = CommandLine(node, network, image, tree);
            return script is null ? Unified(image, tree, commandLine)
                : Generated(script(new BootEntry(node.Name, network.BootUrl, KernelName,
                    KernelCommandLine.InitramfsName, commandLine)), "made for this node");
        }
        return path switch
        {
            "cmdline.txt" => Generated(CommandLine(node, network, image, tree) + "\n",
                $"made for this node from that of image {image.Name}"),
            "config.txt" => Generated(KernelCommandLine.ConfigTxt(ReadText(tree, path)),
                $"made from that of image {image.Name}"),
            KernelCommandLine.InitramfsName => FromFile(
                images.InitramfsPath(image, image.Architecture), $"made for image {image.Name}"),
            _ when tree.TryOpen(path, out var content) =>
                BootFileAnswer.Found(content) with { Source = $"image {image.Name}" },
            _ when network.BootTree is { } directory =>
                FromTree(_trees.GetOrAdd(directory, DirectoryTree), path, $"image {image.Name}, nor in {directory}"),
            _ => BootFileAnswer.NotFound($"{path} is not in image {image.Name}"),
        };
    }

    private BootFileAnswer Unified(BootImage image, IBootTree tree, string commandLine)
    {
        var stub = image.Architecture == "arm64" ? LoaderFiles.StubArm64 : LoaderFiles.StubX64;
        if (!loaders.TryFind(stub, out var path)) return BootFileAnswer.NotFound($"{stub} is not here yet");
        if (!tree.TryOpen(KernelName, out var kernel))
            return BootFileAnswer.NotFound($"{KernelName} is not in image {image.Name}");
        if (FromFile(images.InitramfsPath(image, image.Architecture), "").Content is not { } initramfs)
        {
            kernel.Dispose();
            return BootFileAnswer.NotFound($"the image {image.Name} has no initramfs yet");
        }
        return BootFileAnswer.Found(UnifiedKernel.Assemble(File.ReadAllBytes(path), commandLine, kernel, initramfs))
            with { Source = $"made for this node from image {image.Name} and {stub}" };
    }

    private string CommandLine(NodeSnapshot node, NetworkOptions network, BootImage image, IBootTree tree)
    {
        var original = ReadText(tree, "cmdline.txt");
        if (node.Status.Family == nameof(BoardFamily.Pxe))
            original = KernelCommandLine.ForOtherMachine(original, image.Architecture);
        return KernelCommandLine.ForInstaller(original, network.BootUrl,
            secret.Derive(CredentialKind.BootToken, node.Id, node.Status.BootId), node.Mac.ToString(),
            options.Install.KernelArguments);
    }

    /// <summary>The script that a boot loader finds at this path; null if it is no script's.</summary>
    private static Func<BootEntry, string>? BootScriptFor(NodeSnapshot node, string path)
    {
        if (path == LoaderChoice.IpxeScript) return BootScripts.Ipxe;
        if (path == BootScripts.GrubConfig) return BootScripts.Grub;
        if (!path.StartsWith(BootScripts.PxelinuxDirectory, StringComparison.Ordinal)) return null;
        // First by hardware type and MAC, then by ever shorter beginnings of the address, last this.
        var name = path[BootScripts.PxelinuxDirectory.Length..];
        return name == "default" || (name.StartsWith("01-", StringComparison.Ordinal)
            && MacAddress.TryParse(name.AsSpan(3), out var mac) && mac == node.Mac) ? BootScripts.Pxelinux : null;
    }

    private static bool RunsOn(BootImage image, NodeSnapshot node) =>
        node.Status.Architecture.Length == 0 || image.Architecture is "unknown" or ""
        || image.Architecture == node.Status.Architecture;

    private DirectoryBootTree DirectoryTree(string root) => new(root, loggers.CreateLogger<DirectoryBootTree>());

    private string? Template(NodeSnapshot node, NetworkOptions network, string path)
    {
        if (options.Install.BootTemplates is not { } directory) return null;
        var tree = _trees.GetOrAdd(directory, DirectoryTree);
        return tree.TryOpen(path, out var content)
            ? TextTemplate.Render(ReadAll(content), NodeVariables.Of(node, network, options), path) : null;
    }

    private static BootFileAnswer FromTree(IBootTree tree, string path, string where) =>
        tree.TryOpen(path, out var content) ? BootFileAnswer.Found(content) with { Source = where }
            : BootFileAnswer.NotFound($"{path} is not in {where}");

    private BootFileAnswer FromFile(string file, string source)
    {
        var directory = Path.GetDirectoryName(file)!;
        return FromTree(_trees.GetOrAdd(directory, DirectoryTree), Path.GetFileName(file), directory)
            with { Source = source };
    }

    private static BootFileAnswer Generated(string text, string source) =>
        BootFileAnswer.Found(new BytesBootContent(Encoding.UTF8.GetBytes(text))) with { Source = source };

    private static string ReadText(IBootTree tree, string path) =>
        tree.TryOpen(path, out var content) ? ReadAll(content) : "";

    private static string ReadAll(IBootContent content)
    {
        using (content)
        {
            if (content.Length > 1 << 20) throw new IOException("a text file of the boot tree has more than 1 MiB");
            var octets = new byte[content.Length];
            var n = content.Read(0, octets);
            return Encoding.UTF8.GetString(octets, 0, n);
        }
    }

    [LoggerMessage(2101, LogLevel.Error, "{Path} could not be opened for {Node}")]
    private partial void LogOpenFailed(Exception exception, string path, string node);
}
