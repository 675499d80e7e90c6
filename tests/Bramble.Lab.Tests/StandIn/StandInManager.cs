using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Bramble.Contracts.Installer;
using Bramble.Wire;
using Bramble.Wire.Dhcp;
using Bramble.Wire.Ntp;

namespace Bramble.Lab.Tests.StandIn;

/// <summary>
/// A scripted manager for boards to talk to: answers DHCP, files, time and the installer protocol from memory, and
/// writes down what was asked. It knows no sockets; see <see cref="ScriptedNetwork"/> and
/// <see cref="NamespaceServer"/>.
/// </summary>
internal sealed class StandInManager
{
    public static readonly IPv4Address Address = IPv4Address.Parse("10.77.0.1");

    public static readonly MacAddress Mac = MacAddress.Parse("02:00:00:00:00:01");

    private readonly ConcurrentDictionary<MacAddress, IPv4Address> _leases = [];
    private readonly ConcurrentDictionary<string, MacAddress> _sessions = [];
    private readonly ConcurrentDictionary<string, (MacAddress Mac, string? BootId)> _tokens = [];
    private readonly ConcurrentDictionary<MacAddress, string> _phases = [];
    private readonly byte[][] _chunks;
    private readonly byte[] _patch;
    private int _next = 100;
    private int _tokenCount;
    private string _reportAction = "";

    public StandInManager(int chunkBytes = 65536, int chunks = 8, int seed = 1)
    {
        var random = new Random(seed);
        ChunkBytes = chunkBytes;
        _chunks = new byte[chunks][];
        for (var i = 0; i < chunks; i++)
        {
            // The last is short, and one is all zeros, as in a real image.
            _chunks[i] = new byte[i == chunks - 1 ? chunkBytes / 2 : chunkBytes];
            if (i != 2) random.NextBytes(_chunks[i]);
        }
        _patch = new byte[512];
        random.NextBytes(_patch);
        foreach (var name in (string[])["bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat",
            "bcm2710-rpi-3-b.dtb", "bcm2710-rpi-3-b-plus.dtb", "bcm2711-rpi-4-b.dtb", "bcm2712-rpi-5-b.dtb",
            "overlays/overlay_map.dtb", "kernel8.img", "kernel_2712.img", "bramble.cpio.gz"])
        {
            var content = new byte[random.Next(600, 6000)];
            random.NextBytes(content);
            Files[name] = content;
        }
        Files["config.txt"] = Encoding.ASCII.GetBytes(
            "# stand-in\narm_64bit=1\ninitramfs bramble.cpio.gz followkernel\n");
    }

    /// <summary>What TFTP gives. A board's own <c>cmdline.txt</c> is made on the way out.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = [];

    /// <summary>Options of an answer; a test may break them.</summary>
    public ReadOnlyMemory<byte> VendorOptions { get; set; } = PxeVendorOptions.RaspberryPiBoot.ToArray();

    /// <summary>DHCP messages as they came.</summary>
    public ConcurrentQueue<DhcpPacket> DhcpMessages { get; } = [];

    /// <summary>HTTP requests as they came: method, path, body.</summary>
    public ConcurrentQueue<(string Method, string Path, string Body)> Calls { get; } = [];

    /// <summary>Told before each HTTP request is answered; returns a status to refuse it with, or 0.</summary>
    public Func<string, string, int> OnCall { get; set; } = (_, _) => 0;

    /// <summary>Not answered while false.</summary>
    public bool AnswersDhcp { get; set; } = true;

    public int ChunkBytes { get; }

    public long DiskSize { get; set; } = 7_948_206_080;

    /// <summary>What <c>resume</c> says in the next install plan.</summary>
    public bool Resume { get; set; }

    /// <summary>Whether plans ask for gzipped chunks.</summary>
    public bool Gzips { get; set; }

    /// <summary>Chunks handed out.</summary>
    public int ChunksServed;

    public int ReportsHeard;

    public IReadOnlyDictionary<MacAddress, string> Phases => _phases;

    /// <summary>Answers the next report with "restart".</summary>
    public void Restart() => _reportAction = "action reboot\n";

    /// <summary>Makes the next plan of a board an install.</summary>
    public void Reinstall(MacAddress mac) => _phases[mac] = "install";

    public DhcpPacket? Dhcp(DhcpPacket packet)
    {
        DhcpMessages.Enqueue(packet);
        if (!AnswersDhcp) return null;
        var address = _leases.GetOrAdd(
            packet.Mac, _ => new IPv4Address(Address.Bits + (uint)Interlocked.Increment(ref _next)));
        var reply = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            TransactionId = packet.TransactionId,
            HardwareBits = packet.HardwareBits,
            YourAddress = address,
            NextServer = Address,
        };
        switch (packet.MessageType)
        {
            case DhcpMessageType.Discover:
                reply.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Offer);
                break;
            case DhcpMessageType.Request:
                reply.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Ack);
                break;
            default:
                return null;
        }
        reply.Options.Set(DhcpOption.ServerIdentifier, Address);
        reply.Options.Set(DhcpOption.LeaseTime, 3600u);
        reply.Options.Set(DhcpOption.SubnetMask, IPv4Address.Parse("255.255.0.0"));
        if (!packet.Options.StartsWith(DhcpOption.VendorClass, "PXEClient"u8)) return reply;
        reply.Options.Set(DhcpOption.VendorClass, "PXEClient");
        packet.Options.TryGet(DhcpOption.ClientMachineIdentifier, out var id);
        reply.Options.Set(DhcpOption.ClientMachineIdentifier, id);
        reply.Options.Set(DhcpOption.VendorSpecific, VendorOptions.Span);
        reply.Options.Set(DhcpOption.TftpServerName, Address.ToString());
        return reply;
    }

    public byte[]? File(IPv4Address client, string path)
    {
        if (path != "cmdline.txt") return Files.GetValueOrDefault(path);
        var mac = _leases.First(lease => lease.Value == client).Key;
        var token = "token-" + Interlocked.Increment(ref _tokenCount);
        _tokens[token] = (mac, null);
        return Encoding.ASCII.GetBytes(
            $"console=ttyAMA0,115200 rdinit=/init bramble.url=http://{Address}:8067 bramble.token={token} "
            + "bramble.grace=1\n");
    }

    public byte[] Ntp(ReadOnlySpan<byte> packet)
    {
        NtpPacket.TryRead(packet, out var request, out _);
        var reply = new byte[NtpPacket.Size];
        new NtpPacket
        {
            Version = 4,
            Mode = NtpMode.Server,
            Stratum = 2,
            OriginTime = request.TransmitTime,
            TransmitTime = NtpTimestamp.From(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        }.Write(reply);
        return reply;
    }

    public (int Status, byte[] Body) Http(string method, string path, string bearer, byte[] body)
    {
        var text = Encoding.UTF8.GetString(body);
        Calls.Enqueue((method, path, text));
        if (OnCall(method, path) is var refused && refused != 0) return (refused, []);
        if (path == "/installer/v1/time") return (200, "clock 1767225600\n"u8.ToArray());
        if (path == "/installer/v1/hello") return Hello(bearer, body);
        if (path == "/node/v1/report")
        {
            if (!bearer.StartsWith("credential-", StringComparison.Ordinal)) return (401, []);
            Interlocked.Increment(ref ReportsHeard);
            return (200, Encoding.ASCII.GetBytes("next 30\n" + Interlocked.Exchange(ref _reportAction, "")));
        }
        if (!_sessions.TryGetValue(bearer, out var mac)) return (401, []);
        var words = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        switch (words[2])
        {
            case "plan":
                return (200, Text(Plan(mac)));
            case "progress":
                InstallerMessage.TryRead(body, out var progress, out _);
                if (progress["step"] is "done")
                {
                    _phases[mac] = "boot";
                    return (200, "answer plan\n"u8.ToArray());
                }
                return (200, "answer continue\n"u8.ToArray());
            case "chunks" when words.Length == 4:
                return (200, Encoding.ASCII.GetBytes(ChunkList()));
            case "chunks":
                Interlocked.Increment(ref ChunksServed);
                return (200, words[4].EndsWith(".gz", StringComparison.Ordinal)
                    ? Gzip(_chunks[int.Parse(words[4][..^3], CultureInfo.InvariantCulture)])
                    : _chunks[int.Parse(words[4], CultureInfo.InvariantCulture)]);
            case "patches":
                return (200, _patch);
            case "overlay":
                return (200, Overlay(mac));
            default:
                return (404, []);
        }
    }

    private (int, byte[]) Hello(string bearer, byte[] body)
    {
        InstallerMessage.TryRead(body, out var hello, out _);
        if (!_tokens.TryGetValue(bearer, out var token)) return (403, []);
        if (token.BootId is not null && token.BootId != hello["boot-id"]) return (403, []);
        _tokens[bearer] = (token.Mac, hello["boot-id"]);
        var session = "session-" + bearer;
        _sessions[session] = token.Mac;
        return (200, Text(Plan(token.Mac).Add("session", session)));
    }

    private InstallerMessage Plan(MacAddress mac)
    {
        var action = _phases.GetOrAdd(mac, "install");
        var plan = new InstallerMessage().Add("plan", 1).Add("node", "node-" + mac.ToString('-')).Add("action", action);
        plan.Add("job", "1-1");
        if (action == "boot")
            return plan.Add("root-device", "/dev/mmcblk0p2").Add("root-fstype", "ext4").Add("init", "/sbin/init");
        var overlay = Overlay(mac);
        return plan.Add("resume", Resume ? 1 : 0).Add("disk", "/dev/mmcblk0").Add("disk-size", DiskSize)
            .Add("chunk-bytes", ChunkBytes).Add("chunk-count", _chunks.Length)
            .Add("chunk-gzip", Gzips ? 1 : 0)
            .Add("patch", $"0 0 512 {Hex(_patch)}").Add("root-partition", 2).Add("root-fstype", "ext4").Add("grow", 1)
            .Add("overlay", $"{overlay.Length} {Hex(overlay)}");
    }

    private string ChunkList()
    {
        var text = new StringBuilder();
        for (var i = 0; i < _chunks.Length; i++)
        {
            var zero = !_chunks[i].AsSpan().ContainsAnyExcept((byte)0);
            text.Append(CultureInfo.InvariantCulture, $"{i} {_chunks[i].Length} {(zero ? "zero" : Hex(_chunks[i]))}\n");
        }
        return text.ToString();
    }

    private static byte[] Overlay(MacAddress mac)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            Add("etc/hostname", "node-" + mac.ToString('-') + "\n", 0b110_100_100);
            Add("etc/bramble/credential", "credential-" + mac.ToString('-') + "\n", 0b110_000_000);
            Add("etc/bramble/report.conf", $"url=http://{Address}:8067\nnode=node\njob=1-1\n", 0b110_100_100);
            Add("etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA host\n", 0b110_100_100);

            void Add(string name, string content, int mode) => writer.WriteEntry(
                new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    Mode = (UnixFileMode)mode,
                    ModificationTime = DateTimeOffset.UnixEpoch,
                    DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
                });
        }
        return tar.ToArray();
    }

    private static byte[] Gzip(byte[] octets)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(octets);
        return packed.ToArray();
    }

    private static string Hex(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(octets));

    private static byte[] Text(InstallerMessage message) => Encoding.UTF8.GetBytes(message.ToString());
}
