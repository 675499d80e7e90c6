using System.Formats.Tar;
using System.Text;
using Bramble.Boot.Initramfs;
using Bramble.Manager.Configuration;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Makes the tar that is laid over an installed root: what makes this disk this node. The same node, generation and
/// configuration give the same octets, so that a fetch can be repeated and checked.
/// </summary>
public sealed class OverlayRenderer(BrambleOptions options, ServerSecret secret, HostKeys hostKeys)
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.OtherRead;

    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The tar, and the public host key that it brings.</summary>
    /// <exception cref="TemplateException">A file of the operator's names a variable that there is not.</exception>
    public async Task<(byte[] Tar, string HostKey)> RenderAsync(
        NodeSnapshot node, NetworkOptions network, InstallAttempt attempt, CancellationToken cancellation)
    {
        var (privateKey, publicKey) = await hostKeys.GetAsync(node.Id, node.Name, cancellation).ConfigureAwait(false);
        using var stream = new MemoryStream();
        using (var tar = new OverlayTar(stream, attempt.StartedAt))
        {
            AddIdentity(tar, node, network);
            tar.Add("etc/ssh/ssh_host_ed25519_key", privateKey, Secret);
            tar.Add("etc/ssh/ssh_host_ed25519_key.pub", publicKey + "\n", Plain);
            // Raspberry Pi OS throws host keys away on its first boot; these are to stay.
            tar.AddLink("etc/systemd/system/regenerate_ssh_host_keys.service", "/dev/null");
            if (options.Install.SshAuthorizedKeys.Count > 0)
            {
                tar.AddDirectory(
                    "root/.ssh", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                var keys = string.Join('\n', options.Install.SshAuthorizedKeys) + "\n";
                tar.Add("root/.ssh/authorized_keys", keys, Secret);
                tar.AddLink(
                    "etc/systemd/system/multi-user.target.wants/ssh.service", "/lib/systemd/system/ssh.service");
            }
            AddReporting(tar, node, network, attempt);
            foreach (var file in OverlayFiles.All)
            {
                if (file.LinkTarget is { } target) tar.AddLink(file.Path, target);
                else tar.Add(file.Path, file.Content, (UnixFileMode)file.Mode);
            }
            if (options.Install.OverlayDirectory is { } directory)
                AddDirectory(tar, directory, NodeVariables.Of(node, network, options));
        }
        return (stream.ToArray(), publicKey);
    }

    private static void AddIdentity(OverlayTar tar, NodeSnapshot node, NetworkOptions network)
    {
        tar.Add("etc/hostname", node.Name + "\n", Plain);
        var fullName = network.Domain.Length > 0 ? $"{node.Name}.{network.Domain} {node.Name}" : node.Name;
        tar.Add("etc/hosts",
            $"127.0.0.1 localhost\n127.0.1.1 {fullName}\n::1 localhost ip6-localhost ip6-loopback\n", Plain);
        var manager = network.Address.Address;
        tar.Add("etc/systemd/timesyncd.conf.d/50-bramble.conf", $"[Time]\nNTP={manager}\n", Plain);
        tar.Add("etc/chrony/sources.d/bramble.sources", $"server {manager} iburst\n", Plain);
        tar.Add("etc/systemd/network/10-bramble.network",
            $"""
            [Match]
            MACAddress={node.Mac}

            [Network]
            DHCP=ipv4

            [DHCPv4]
            ClientIdentifier=mac
            UseNTP=yes

            """, Plain);
        if (network.Dns.Count > 0)
        {
            var search = network.Domain.Length > 0 ? $"search {network.Domain}\n" : "";
            tar.Add("etc/resolv.conf",
                search + string.Concat(network.Dns.Select(dns => $"nameserver {dns}\n")), Plain);
        }
    }

    private void AddReporting(OverlayTar tar, NodeSnapshot node, NetworkOptions network, InstallAttempt attempt)
    {
        tar.AddDirectory("etc/bramble", Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
            | UnixFileMode.OtherExecute);
        tar.Add("etc/bramble/credential",
            secret.Derive(CredentialKind.Node, node.Id, attempt.Generation) + "\n", Secret);
        tar.Add("etc/bramble/report.conf",
            $"url={network.BootUrl}\nnode={node.Name}\njob={new InstallJob(node.Id, attempt.Generation)}\n", Plain);
    }

    private static void AddDirectory(OverlayTar tar, string directory, IReadOnlyDictionary<string, string> variables)
    {
        var files = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        foreach (var file in files)
        {
            try
            {
                AddFile(tar, file, Path.GetRelativePath(directory, file), variables);
            }
            catch (ArgumentException e)
            {
                throw new IOException($"{file} cannot go into the overlay: {e.Message}", e);
            }
        }
    }

    private static void AddFile(OverlayTar tar, string file, string path, IReadOnlyDictionary<string, string> variables)
    {
        var mode = File.GetUnixFileMode(file);
        if (path.EndsWith(".tmpl", StringComparison.Ordinal))
            tar.Add(path[..^5], TextTemplate.Render(File.ReadAllText(file), variables, file), mode);
        else
            tar.Add(path, File.ReadAllBytes(file), mode);
    }

    /// <summary>Entries owned by root, with one time of change; parents are made by the board's tar.</summary>
    private sealed class OverlayTar(Stream stream, DateTimeOffset time) : IDisposable
    {
        private readonly TarWriter _writer = new(stream, TarEntryFormat.Ustar, leaveOpen: true);

        public void Add(string path, string text, UnixFileMode mode) => Add(path, Encoding.UTF8.GetBytes(text), mode);

        public void Add(string path, ReadOnlyMemory<byte> content, UnixFileMode mode)
        {
            using var data = new MemoryStream(content.ToArray(), writable: false);
            Write(new UstarTarEntry(TarEntryType.RegularFile, path) { Mode = mode, DataStream = data });
        }

        public void AddLink(string path, string target) =>
            Write(new UstarTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target });

        public void AddDirectory(string path, UnixFileMode mode) =>
            Write(new UstarTarEntry(TarEntryType.Directory, path + "/") { Mode = mode });

        public void Dispose() => _writer.Dispose();

        private void Write(UstarTarEntry entry)
        {
            entry.ModificationTime = time;
            entry.Uid = entry.Gid = 0;
            entry.UserName = entry.GroupName = "root";
            _writer.WriteEntry(entry);
        }
    }
}
