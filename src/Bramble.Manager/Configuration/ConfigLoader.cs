using Bramble.Manager.Provisioning;
using Bramble.Wire;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Bramble.Manager.Configuration;

/// <summary>Reads bramble.yaml whole and strictly: what is returned has no unknown key and no contradiction.</summary>
public static class ConfigLoader
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    /// <exception cref="ConfigException">Each thing that is wrong, with its line.</exception>
    public static BrambleOptions Load(string file)
    {
        if (Directory.Exists(file))
            throw new ConfigException(file, [new ConfigError(0, 0, "is a directory; name the file in it")]);
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(file, [new ConfigError(0, 0, $"cannot be read: {e.Message}")]);
        }
        return Parse(text, file) with { File = Path.GetFullPath(file) };
    }

    public static BrambleOptions Parse(string text, string file)
    {
        var errors = new List<ConfigError>();
        var stream = new YamlStream();
        var scanner = new Scanner(new StringReader(text));
        try
        {
            stream.Load(new Parser(scanner));
        }
        catch (YamlException e)
        {
            throw new ConfigException(file,
                [new ConfigError((int)e.Start.Line, (int)e.Start.Column, $"not YAML: {e.Message}")]);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            // The parser stumbles over some brackets that are not closed, and does not say where.
            var at = scanner.CurrentPosition;
            throw new ConfigException(file,
                [new ConfigError((int)at.Line, (int)at.Column,
                    "not YAML: a bracket or quote at or before this is amiss")]);
        }
        if (stream.Documents.Count > 1)
        {
            var second = stream.Documents[1].RootNode.Start;
            errors.Add(new ConfigError(
                (int)second.Line, (int)second.Column, "the file must be one document: remove the '---'"));
        }
        var root = new YamlSection(
            stream.Documents.Count == 0 ? new YamlMappingNode() : stream.Documents[0].RootNode, errors, "");
        var options = new BrambleOptions
        {
            Cluster = root.Text("cluster", "bramble"),
            StateDirectory = AbsolutePath(root, "state", "/var/lib/bramble") ?? "/var/lib/bramble",
            LogFile = AbsolutePath(root, "log_file", null),
            Api = ReadApi(root.Section("api")),
            Networks = NetworkSection.ReadAll(root),
            Dns = DnsSection.Read(root.Section("dns")),
            Install = ReadInstall(root.Section("install")),
            Lifecycle = ReadLifecycle(root.Section("lifecycle")),
            Watchdog = ReadWatchdog(root.Section("watchdog")),
            PowerDevices = [.. root.Sections("power").Select(ReadPower)],
            Nodes = [.. root.Sections("nodes").Select(ReadNode)],
        };
        root.Close();
        ConfigChecks.Check(options, root);
        DnsSection.Check(options, root);
        options = options with { Networks = [.. options.Networks.Select(n => DnsSection.Complete(n, options.Dns))] };
        return errors.Count == 0 ? options
            : throw new ConfigException(file, [.. errors.Distinct().OrderBy(e => e.Line).ThenBy(e => e.Column)]);
    }

    private static ApiOptions ReadApi(YamlSection section)
    {
        var defaults = new ApiOptions();
        var listen = section.List<string>("listen", TryListen, "an address and port, or unix:/path");
        var api = new ApiOptions
        {
            Listen = section.Has("listen") ? listen : defaults.Listen,
            CertificateFile = AbsolutePath(section, "certificate", null),
            KeyFile = AbsolutePath(section, "key", null),
        };
        if (api.CertificateFile is null != api.KeyFile is null)
            section.Fail(section.Node, "api: 'certificate' and 'key' go together");
        foreach (var address in api.Listen)
        {
            if (api.CertificateFile is null && !address.StartsWith("unix:", StringComparison.Ordinal)
                && !System.Net.IPAddress.IsLoopback(System.Net.IPEndPoint.Parse(address).Address))
                section.FailAt("listen", $"{address} is not a loopback address: give 'certificate' and 'key', so that "
                    + "tokens do not cross the network in clear");
        }
        section.Close();
        return api;
    }

    private static bool TryListen(string text, out string value)
    {
        value = text;
        return text.StartsWith("unix:/", StringComparison.Ordinal)
            || (System.Net.IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0);
    }

    private static InstallOptions ReadInstall(YamlSection section)
    {
        var install = new InstallOptions
        {
            Image = section.TextOrNull("image"),
            Images = ReadImages(section.Section("images")),
            Disk = section.TryGet<DiskRule>("disk", DiskRule.TryParse, DiskRuleKind, out var rule)
                ? rule : DiskRule.Default,
            OverwriteUsedDisks = section.Flag("overwrite_used_disks", false),
            SshAuthorizedKeys = section.List<string>("ssh_authorized_keys", TryKey,
                "an SSH public key such as 'ssh-ed25519 AAAA… name'"),
            OverlayDirectory = AbsolutePath(section, "overlay", null),
            BootTemplates = AbsolutePath(section, "boot_templates", null),
            KernelArguments = section.Text("kernel_arguments", ""),
            Tries = section.Number("tries", 3, 1, 100),
        };
        section.Close();
        return install;
    }

    private static Dictionary<string, string> ReadImages(YamlSection section)
    {
        var images = new Dictionary<string, string>();
        foreach (var (at, key, value) in section.Pairs())
        {
            if (key is "arm64" or "armhf" or "amd64") images[key] = value;
            else section.Fail(at, $"install.images: '{key}' is no architecture; there are arm64, armhf and amd64");
        }
        return images;
    }

    internal const string DiskRuleKind = "a disk such as /dev/mmcblk0, or a rule such as 'only sd >= 4GB'";

    private static bool TryKey(string text, out string key)
    {
        key = text.Trim();
        return key.Split(' ') is [var type, var body, ..] && body.StartsWith("AAAA", StringComparison.Ordinal)
            && (type.StartsWith("ssh-", StringComparison.Ordinal) || type.StartsWith("ecdsa-", StringComparison.Ordinal)
                || type.StartsWith("sk-", StringComparison.Ordinal));
    }

    private static LifecycleOptions ReadLifecycle(YamlSection section)
    {
        var defaults = new LifecycleOptions();
        var lifecycle = new LifecycleOptions
        {
            ReportInterval = section.Duration("report_interval", defaults.ReportInterval, s_second, s_day),
            LostAfter = section.Duration("lost_after", defaults.LostAfter, s_second, s_day),
            StallAfter = section.Duration("stall_after", defaults.StallAfter, s_second, s_day),
            MaxNodes = section.Number("max_nodes", defaults.MaxNodes, 1, 1_000_000),
        };
        if (lifecycle.LostAfter <= lifecycle.ReportInterval)
            section.FailAt("lost_after", "must be longer than report_interval, or every node would be lost in between");
        section.Close();
        return lifecycle;
    }

    private static WatchdogOptions ReadWatchdog(YamlSection section)
    {
        var defaults = new WatchdogOptions();
        var watchdog = new WatchdogOptions
        {
            Enabled = section.Flag("enabled", defaults.Enabled),
            Tries = section.Number("tries", defaults.Tries, 0, 1000),
            OffTime = section.Duration("off_time", defaults.OffTime, TimeSpan.FromMilliseconds(100),
                TimeSpan.FromMinutes(10)),
        };
        section.Close();
        return watchdog;
    }

    private static PowerDeviceSection ReadPower(YamlSection section)
    {
        var device = new PowerDeviceSection
        {
            Name = section.RequiredText("name"),
            Driver = section.RequiredText("driver"),
            Host = section.Text("host", ""),
            Port = section.Number("port", 161, 1, 65535),
            Version = section.Text("version", "2c"),
            CommunityFile = AbsolutePath(section, "community_file", null),
            FindCommunityFile = AbsolutePath(section, "find_community_file", null),
            User = section.Text("user", ""),
            AuthProtocol = section.Text("auth_protocol", ""),
            AuthPasswordFile = AbsolutePath(section, "auth_password_file", null),
            PrivProtocol = section.Text("priv_protocol", ""),
            PrivPasswordFile = AbsolutePath(section, "priv_password_file", null),
            Group = section.Number("group", 1, 1, int.MaxValue),
            PortOffset = section.Number("port_offset", 0, -100_000, 100_000),
            Timeout = section.Has("timeout")
                ? section.Duration("timeout", s_second, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(5)) : null,
            Retries = section.Number("retries", 2, 0, 20),
            Command = section.List<string>("command", TryArgument, "a text"),
        };
        section.Close();
        return device;
    }

    private static bool TryArgument(string text, out string argument)
    {
        argument = text;
        return true;
    }

    private static NodeOptions ReadNode(YamlSection section)
    {
        var labels = section.Section("labels");
        var node = new NodeOptions
        {
            Mac = NetworkSection.ReadMac(section, "mac"),
            Name = section.TextOrNull("name"),
            Number = section.Has("number") ? section.Number("number", 0, 1, 1_000_000) : null,
            Address = section.TryGet<IPv4Address>("address", IPv4Text, "an IPv4 address", out var address)
                ? address : null,
            Image = section.TextOrNull("image"),
            Disk = section.TryGet<DiskRule>("disk", DiskRule.TryParse, DiskRuleKind, out var disk) ? disk : null,
            PowerDevice = section.TextOrNull("power_device"),
            PowerPort = section.TextOrNull("power_port"),
            Labels = labels.Pairs().ToDictionary(p => p.Key, p => p.Value),
        };
        var options = DhcpOptionSection.Read(section, $"node {node.Name ?? node.Mac.ToString()}");
        if (!options.Options.IsEmpty) node = node with { Options = options };
        section.Close();
        return node;
    }

    internal static bool IPv4Text(string text, out IPv4Address address) => IPv4Address.TryParse(text, out address);

    private static string? AbsolutePath(YamlSection section, string name, string? fallback)
    {
        var path = section.TextOrNull(name) ?? fallback;
        if (path is not null && !path.StartsWith('/'))
            section.FailAt(name, $"'{path}' must be an absolute path, since the daemon runs in no directory of yours");
        return path;
    }
}
