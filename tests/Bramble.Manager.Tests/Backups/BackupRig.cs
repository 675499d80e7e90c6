using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Bramble.Boot.Images;
using Bramble.Contracts.Security;
using Bramble.Manager.Backups;
using Bramble.Manager.Events;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Manager.Security;
using Bramble.Manager.Store;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Backups;

/// <summary>A state with something in every part of it, its backup, and archives that were made by hand.</summary>
internal sealed class BackupRig : IAsyncDisposable
{
    private readonly ImageStore _images;

    public BackupRig()
    {
        var configuration = Rig.Scratch.Write("etc/bramble.yaml", "cluster: rack\n");
        Rig.Options = Rig.Options with
        {
            Cluster = "rack",
            File = configuration,
            PowerDevices =
            [
                new()
                {
                    Name = "poe1",
                    Driver = "poe-snmp",
                    CommunityFile = Rig.Scratch.Write("etc/community", "private\n"),
                },
            ],
            Install = new()
            {
                OverlayDirectory = Path.GetDirectoryName(Rig.Scratch.Write("overlay/etc/motd", "hello"))!,
            },
        };
        ServerSecret.Open(State);
        Directory.CreateDirectory(Path.Combine(State, "hostkeys"));
        File.WriteAllText(Path.Combine(State, "hostkeys/1"), "key of 1");
        File.WriteAllText(Path.Combine(State, "hostkeys/1.pub"), "public of 1");
        File.WriteAllText(Path.Combine(State, "hostkeys/2.new"), "half made");
        _images = new ImageStore(Path.Combine(State, "images"), Rig.Clock, NullLogger<ImageStore>.Instance);
        Writer = new BackupWriter(Rig.Options, Rig.Database, _images, Rig.Clock);
    }

    public Rig Rig { get; } = new();

    public BackupWriter Writer { get; }

    public string State => Rig.Options.StateDirectory;

    public string Archive => Rig.Scratch["rack.tar.gz"];

    public async Task MakeAsync(bool withImages = false)
    {
        using var backup = await Writer.PrepareAsync(withImages, Scratch.Cancellation);
        await using var file = new FileStream(Archive, FileMode.Create);
        await backup.WriteAsync(file, Scratch.Cancellation);
    }

    /// <summary>What <c>brambled restore</c> says and ends with.</summary>
    public static async Task<(int Code, string Output)> RestoreAsync(string archive, string state, params string[] more)
    {
        await using var output = new StringWriter();
        var code = await RestoreCommand.RunAsync([archive, "--state", state, .. more], output, output);
        return (code, output.ToString());
    }

    /// <summary>The entries of the archive, to be altered and packed again.</summary>
    public List<Entry> Entries()
    {
        using var gzip = new GZipStream(File.OpenRead(Archive), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        var entries = new List<Entry>();
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            entries.Add(new Entry(entry.Name, content.ToArray(), entry.EntryType));
        }
        return entries;
    }

    public string Pack(IEnumerable<Entry> entries)
    {
        var path = Rig.Scratch[$"made-{Guid.NewGuid():n}.tar.gz"];
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        using var tar = new TarWriter(gzip, TarEntryFormat.Pax);
        foreach (var entry in entries)
        {
            var made = new PaxTarEntry(entry.Type, entry.Name);
            if (entry.Type == TarEntryType.RegularFile) made.DataStream = new MemoryStream(entry.Content);
            else if (entry.Type is TarEntryType.SymbolicLink or TarEntryType.HardLink) made.LinkName = "/etc/passwd";
            tar.WriteEntry(made);
        }
        return path;
    }

    /// <summary>As <see cref="Pack"/>, with a manifest that agrees with what is there.</summary>
    public string PackAgreeing(IEnumerable<Entry> entries)
    {
        var all = entries.Where(e => e.Name != BackupManifest.Name).ToList();
        var files = all.Select(e => new
        {
            path = e.Name,
            size = e.Content.Length,
            sha256 = Convert.ToHexStringLower(global::System.Security.Cryptography.SHA256.HashData(e.Content)),
        });
        return Pack([.. all, new Entry(BackupManifest.Name, JsonSerializer.SerializeToUtf8Bytes(new { files }))]);
    }

    /// <summary>Names and numbers of the nodes in a state, and whether a token is valid there.</summary>
    public static async Task<(string Nodes, bool TokenHolds)> LookAsync(string state, string token)
    {
        var database = Database.Open(state, NullLogger<Database>.Instance);
        await using (database)
        {
            var events = new EventLog(database, TimeProvider.System);
            var nodes = new NodeRegistry(database, events, TimeProvider.System);
            var tokens = new TokenStore(database, events, TimeProvider.System);
            return (string.Join(' ', nodes.All.OrderBy(n => n.Number).Select(n => n.Name)),
                tokens.Authenticate(token) is { Role: Role.Admin });
        }
    }

    public async Task<string> TokenAsync() => (await new TokenStore(Rig.Database, Rig.Events, Rig.Clock)
        .CreateAsync("boss", Role.Admin, null, "test")).Secret;

    public ValueTask DisposeAsync()
    {
        _images.Dispose();
        return Rig.DisposeAsync();
    }

    internal sealed record Entry(string Name, byte[] Content, TarEntryType Type = TarEntryType.RegularFile)
    {
        public Entry(string name, string content)
            : this(name, Encoding.UTF8.GetBytes(content))
        {
        }
    }
}
