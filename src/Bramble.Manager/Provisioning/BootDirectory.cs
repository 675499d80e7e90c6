using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Images;
using Bramble.Boot.Loaders;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Who is this board and what should it boot: the manager's end of the port that the boot servers ask. Answers from
/// memory; what it learns goes to the registry.
/// </summary>
public sealed partial class BootDirectory(
    BrambleOptions options, NodeRegistry nodes, NodeLocator locator, BootObserver observer, ImageStore images,
    LoaderFiles loaders, ServerSecret secret, TimeProvider clock, ILoggerFactory loggers) : IBootDirectory
{
    private const string KernelName = "vmlinuz";

    private readonly Dictionary<string, NetworkOptions> _networks = options.Networks.ToDictionary(n => n.Name);
    private readonly ConcurrentDictionary<string, IBootTree> _trees = new();
    private readonly FrozenDictionary<MacAddress, DhcpOptionSet> _nodeOptions = options.Nodes
        .Where(n => n.Options is not null).DistinctBy(n => n.Mac).ToFrozenDictionary(n => n.Mac, n => n.Options!);
    private readonly ILogger _logger = loggers.CreateLogger<BootDirectory>();

    public BoardPlan Find(BoardSighting sighting)
    {
        var network = _networks[sighting.Network];
        var node = nodes.Find(sighting.Mac);
        var isBoard = sighting.Board.Family is not (BoardFamily.PlainClient or BoardFamily.Unknown);
        if (node is null)
        {
            // Who has a reservation is expected, be it a printer.
            if (!isBoard)
            {
                return new BoardPlan(network.Adopt == AdoptPolicy.Auto
                    || network.Reservations.ContainsKey(sighting.Mac) ? Admission.Serve : Admission.Ignore);
            }
            if (network.Adopt == AdoptPolicy.Ignore) return new BoardPlan(Admission.Ignore);
            if (nodes.Count >= options.Lifecycle.MaxNodes) return new BoardPlan(Admission.TooManyStrangers);
            if (sighting.IsRehearsal)
            {
                return new BoardPlan(
                    network.Adopt == AdoptPolicy.Auto ? Admission.Serve : Admission.AwaitsAdoption);
            }
            node = Discover(sighting, network);
        }
        if (!sighting.IsRehearsal) observer.Heard(node, sighting);
        if (!node.Spec.Adopted) return new BoardPlan(Admission.AwaitsAdoption);
        if (LoaderChoice.For(sighting.Board, network.Loaders) is { } loader
            && !loaders.IsReady(loader.Needs, out var missing))
            return new BoardPlan(Admission.NotReady) { Missing = missing };
        return new BoardPlan(Admission.Serve)
        {
            HostName = node.Name,
            Reserved = node.Spec.ReservedAddress,
            Options = _nodeOptions.GetValueOrDefault(sighting.Mac),
        };
    }

    public BootFileAnswer Open(BootFileRequest request)
    {
        var (node, path) = Locate(request);
        if (node is null) return BootFileAnswer.NotFound($"{request.Client} is no node of ours");
        if (!node.Spec.Adopted) return BootFileAnswer.NotFound($"{node.Name} is not adopted");
        if (!_networks.TryGetValue(node.Status.Network, out var network))
            return BootFileAnswer.NotFound($"{node.Name} belongs to a network that is not configured any more");
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

    public void Record(BootStep step)
    {
        var node = step.Mac is { } mac ? nodes.Find(mac)
            : step.Address is { } address ? locator.Find(address) : null;
        if (node is not null) observer.Step(node, step);
    }

    private NodeSnapshot Discover(BoardSighting sighting, NetworkOptions network)
    {
        var configured = options.Nodes.FirstOrDefault(n => n.Mac == sighting.Mac);
        var adopted = network.Adopt == AdoptPolicy.Auto || configured is not null;
        var (node, _) = nodes.Add(
            sighting.Mac,
            () => new NodeSpec { Adopted = adopted },
            () => BootObserver.Describe(new NodeStatus
            {
                Phase = adopted ? Contracts.Nodes.NodePhase.Adopted : Contracts.Nodes.NodePhase.Discovered,
                LastSeenAt = clock.GetUtcNow(),
                Verdict = adopted ? "" : "waits for someone to say 'bramble node adopt'",
            }, sighting),
            name: null, number: null, "board");
        return node;
    }

    /// <summary>
    /// The node by its address; a prefix that names another known node wins over an address that names none.
    /// </summary>
    private (NodeSnapshot? Node, string Path) Locate(BootFileRequest request)
    {
        var node = locator.Find(request.Client);
        var slash = request.Path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return (node, request.Path);
        var (prefix, rest) = (request.Path[..slash], request.Path[(slash + 1)..]);
        if (node is not null && IsPrefixOf(node, prefix)) return (node, rest);
        var named = node is null ? locator.FindByPrefix(prefix) : null;
        return named is not null ? (named, rest) : (node, request.Path);
    }

    private static bool IsPrefixOf(NodeSnapshot node, string prefix) =>
        prefix.Equals(node.Status.Serial, StringComparison.OrdinalIgnoreCase)
        || (MacAddress.TryParse(prefix, out var mac) && mac == node.Mac);

    private BootFileAnswer OpenFor(NodeSnapshot node, NetworkOptions network, string path)
    {
        if (Template(node, network, path) is { } rendered) return Generated(rendered);
        if (loaders.TryFind(path, out var loader)) return FromFile(loader);
        var image = (node.Spec.Image ?? options.Install.ImageFor(node.Status.Architecture)) is { } name
            ? images.Find(name) : null;
        if (image is null)
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
                    KernelCommandLine.InitramfsName, commandLine)));
        }
        return path switch
        {
            "cmdline.txt" => Generated(CommandLine(node, network, image, tree) + "\n"),
            "config.txt" => Generated(KernelCommandLine.ConfigTxt(ReadText(tree, path))),
            KernelCommandLine.InitramfsName => FromFile(images.InitramfsPath(image, image.Architecture)),
            _ when tree.TryOpen(path, out var content) => BootFileAnswer.Found(content),
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
        if (FromFile(images.InitramfsPath(image, image.Architecture)).Content is not { } initramfs)
        {
            kernel.Dispose();
            return BootFileAnswer.NotFound($"the image {image.Name} has no initramfs yet");
        }
        return BootFileAnswer.Found(UnifiedKernel.Assemble(File.ReadAllBytes(path), commandLine, kernel, initramfs));
    }

    private string CommandLine(NodeSnapshot node, NetworkOptions network, BootImage image, IBootTree tree) =>
        KernelCommandLine.ForInstaller(KernelCommandLine.OrConsoles(ReadText(tree, "cmdline.txt"), image.Architecture),
            network.BootUrl, secret.Derive(CredentialKind.BootToken, node.Id, node.Status.BootId), node.Mac.ToString(),
            options.Install.KernelArguments);

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
        tree.TryOpen(path, out var content) ? BootFileAnswer.Found(content)
            : BootFileAnswer.NotFound($"{path} is not in {where}");

    private BootFileAnswer FromFile(string file)
    {
        var directory = Path.GetDirectoryName(file)!;
        return FromTree(_trees.GetOrAdd(directory, DirectoryTree), Path.GetFileName(file), directory);
    }

    private static BootFileAnswer Generated(string text) =>
        BootFileAnswer.Found(new BytesBootContent(Encoding.UTF8.GetBytes(text)));

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
