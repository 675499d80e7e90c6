using System.Text;
using Bramble.Lab.Boards;
using Bramble.Lab.Dhcp;
using Bramble.Lab.Rom;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Firmware;

/// <summary>
/// A PC from power to a kernel in memory: its firmware, and the boot loaders that it is given. What they ask for and in
/// which order is what SeaBIOS, EDK II, iPXE, shim and GRUB ask for.
/// </summary>
internal sealed class PcRom(BoardRun run)
{
    /// <summary>Until firmware that finds nothing else to boot comes round to the network again.</summary>
    private static readonly TimeSpan NextRound = TimeSpan.FromSeconds(20);

    /// <summary>Until a boot server is asked at port 4011 once more, and how often.</summary>
    private static readonly TimeSpan QuestionWait = TimeSpan.FromSeconds(4);

    private const int Questions = 4;
    private const ushort BootServerPort = 4011;

    private static readonly string[] s_grubModules = ["command.lst", "fs.lst", "crypto.lst", "terminal.lst"];

    private readonly PcFiles _files = new(run);

    private BoardTraits Traits => run.Spec.Traits;

    /// <summary>
    /// Returns when everything is loaded. Without an answer to DHCP it asks for ever; a boot that breaks later ends in
    /// the firmware's menu, and only a power cycle helps.
    /// </summary>
    public static Task<BootFiles> RunAsync(BoardRun run) => new PcRom(run).RunAsync();

    private async Task<BootFiles> RunAsync()
    {
        while (true)
        {
            run.Link.Address = default;
            await run.EnterAsync(BoardStage.Rom);
            await run.PaceAsync(Traits.RomDelay);
            await run.EnterAsync(BoardStage.Dhcp);
            if (await AskAsync(Traits.Pc!.Architecture == 0 ? PxeKind.BiosRom : PxeKind.Uefi) is var (lease, boot))
            {
                await run.EnterAsync(BoardStage.Tftp, $"{boot.File} from {boot.Server}");
                try
                {
                    return await StartAsync(lease, boot);
                }
                catch (Exception e) when (e is BootStoppedException or FetchFailedException)
                {
                    await run.StayAsync(BoardStage.Stuck, e.Message);
                }
            }
            run.Note(BoardStage.Rom, "no boot file from DHCP; once more");
            await run.PaceAsync(NextRound);
        }
    }

    /// <summary>Null without an address and a boot file.</summary>
    private async Task<(DhcpLease Lease, PxeBoot Boot)?> AskAsync(PxeKind kind)
    {
        run.Link.Address = default;
        var client = new PxeDhcp(run.Spec, kind, run.Random);
        var lease = await DhcpRun.RunAsync(client, run.Link, () => run.Now,
            packet => run.Note(BoardStage.Dhcp, $"{kind} {packet.MessageType.ToString().ToUpperInvariant()}"),
            run.Cancellation);
        if (lease is null || client.Boot is not { } boot) return null;
        run.Link.Address = lease.Address;
        run.Link.AskWho(boot.Server);
        if (boot.File.Length > 0) return (lease, boot);
        return await AskBootServerAsync(kind, lease, boot.Server) is { } told ? (lease, told) : null;
    }

    /// <summary>PXE 2.1 §2.2.3: the file's name from port 4011 of the server that gives no addresses.</summary>
    private async Task<PxeBoot?> AskBootServerAsync(PxeKind kind, DhcpLease lease, IPv4Address server)
    {
        run.Note(BoardStage.Dhcp, $"REQUEST to port {BootServerPort} of {server}");
        var xid = (uint)run.Random.NextInt64(1, 0x1_0000_0000);
        var question = PxePackets.BootQuestion(run.Spec, kind, xid, lease.Address).ToArray();
        var buffer = new byte[2048];
        for (var i = 0; i < Questions; i++)
        {
            // A socket for each try: closing it is what ends the wait.
            using var port = run.Link.OpenUdp(BootServerPort);
            using var timer = run.Time.CreateTimer(_ => port.Dispose(), null, QuestionWait, Timeout.InfiniteTimeSpan);
            port.Send(question, server, BootServerPort);
            try
            {
                while (true)
                {
                    var answer = await port.ReceiveAsync(buffer, run.Cancellation);
                    if (!DhcpPacket.TryRead(buffer.AsSpan(0, answer.Length), out var packet, out _)
                        || packet.MessageType != DhcpMessageType.Ack || packet.TransactionId != xid) continue;
                    var file = packet.Options.TryGet(DhcpOption.BootFileName, out var name)
                        ? Encoding.Latin1.GetString(name) : packet.BootFile;
                    if (file.Length == 0) return null;
                    return new PxeBoot(packet.NextServer.IsAny ? server : packet.NextServer, file.TrimEnd('\0'));
                }
            }
            catch (ObjectDisposedException) when (!run.Cancellation.IsCancellationRequested)
            {
                // No answer in time.
            }
        }
        return null;
    }

    private async Task<BootFiles> StartAsync(DhcpLease lease, PxeBoot boot)
    {
        if (Traits.Pc!.Architecture == 0)
        {
            var program = await _files.TftpAsync(boot.Server, boot.File, PcFiles.BiosRom);
            KernelCheck.NetworkBootProgram(boot.File, program);
            return await IpxeAsync();
        }
        var image = Traits.Pc.IsHttp ? await HttpBootAsync(boot.File) : await PxeBootAsync(boot);
        var efi = new EfiProgram(boot.File, image, Traits.Machine);
        if (efi.IsUnifiedKernel) return UnifiedKernel(boot.File, efi);
        var name = boot.File[(boot.File.LastIndexOf('/') + 1)..];
        if (name.StartsWith("shim", StringComparison.Ordinal) && !Traits.Pc.IsHttp)
            return await ShimAsync(lease, boot);
        if (name.Contains("ipxe", StringComparison.Ordinal) || name == "snponly.efi") return await IpxeAsync();
        throw new BootStoppedException($"{boot.File}: the lab does not know what this program does");
    }

    private async Task<byte[]> PxeBootAsync(PxeBoot boot)
    {
        if (!await _files.ProbeAsync(boot.Server, boot.File, PcFiles.Firmware))
            throw new BootStoppedException($"{boot.File} is not there");
        return await _files.TftpAsync(boot.Server, boot.File, PcFiles.Firmware);
    }

    private async Task<byte[]> HttpBootAsync(string url)
    {
        // EDK II (HttpBootDxe): the size by HEAD, then the file.
        await _files.HttpAsync(HttpMethod.Head, url, "UefiHttpBoot/1.0");
        return await _files.HttpAsync(HttpMethod.Get, url, "UefiHttpBoot/1.0");
    }

    private BootFiles UnifiedKernel(string file, EfiProgram efi)
    {
        KernelCheck.Kernel($"{file} (.linux)", efi.Section(".linux").Span, Traits.Machine);
        KernelCheck.Initramfs($"{file} (.initrd)", efi.Section(".initrd").Span);
        return new BootFiles(file, file, "", Encoding.ASCII.GetString(efi.Section(".cmdline").Span).TrimEnd('\0'));
    }

    /// <summary>shim, by the firmware's TFTP, then GRUB, by its own.</summary>
    private async Task<BootFiles> ShimAsync(DhcpLease lease, PxeBoot boot)
    {
        foreach (var file in (string[])["revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi"])
            await _files.TryTftpAsync(boot.Server, file, PcFiles.Firmware);
        var grub = Traits.Machine == "aarch64" ? "grubaa64.efi" : "grubx64.efi";
        _ = new EfiProgram(grub, await _files.TftpAsync(boot.Server, grub, PcFiles.Firmware), Traits.Machine);

        // GRUB looks at the server that gave the address and knows nothing of proxies.
        var server = lease.NextServer.IsAny ? lease.Server : lease.NextServer;
        var modules = Traits.Machine == "aarch64" ? "arm64-efi" : "x86_64-efi";
        foreach (var list in s_grubModules) await _files.TryTftpAsync(server, $"/grub/{modules}/{list}", PcFiles.Grub);
        var config = await _files.TftpAsync(server, "/grub/grub.cfg", PcFiles.Grub);
        var script = GrubScript.Read(Encoding.UTF8.GetString(config));
        return await LoadAsync(script, path => GrubFileAsync(server, path));
    }

    private Task<byte[]> GrubFileAsync(IPv4Address server, string path)
    {
        if (!path.StartsWith('(')) return _files.TftpAsync(server, path, PcFiles.Grub);
        var end = path.IndexOf(')', StringComparison.Ordinal);
        return end > 0 && path[1..end].Split(',') is ["tftp", var host] && IPv4Address.TryParse(host, out var other)
            ? _files.TftpAsync(other, path[(end + 1)..], PcFiles.Grub)
            : throw new BootStoppedException($"grub.cfg: {path} is on no disk that GRUB's network image has");
    }

    private async Task<BootFiles> IpxeAsync()
    {
        await run.EnterAsync(BoardStage.Dhcp, "iPXE");
        if (await AskAsync(PxeKind.Ipxe) is not var (_, boot))
            throw new BootStoppedException("iPXE has got no boot file");
        await run.EnterAsync(BoardStage.Tftp, $"iPXE: {boot.File}");
        if (!boot.File.Contains("://", StringComparison.Ordinal))
            throw new BootStoppedException($"iPXE was given {boot.File}, and would load itself for ever");
        var script = IpxeScript.Read(Encoding.UTF8.GetString(await IpxeFileAsync(boot.File)));
        // An EFI kernel takes the initramfs by the name on its command line; a BIOS one by what the loader says.
        if (Traits.Pc!.Architecture != 0
            && !script.CommandLine.Split(' ').Contains($"initrd={script.InitramfsName}"))
            throw new BootStoppedException($"boot.ipxe: no initrd={script.InitramfsName} on the kernel's command line");
        return await LoadAsync(script, IpxeFileAsync);
    }

    private Task<byte[]> IpxeFileAsync(string url) => _files.HttpAsync(HttpMethod.Get, url, "iPXE/1.21.1");

    private async Task<BootFiles> LoadAsync(BootScript script, Func<string, Task<byte[]>> fetch)
    {
        while (true)
        {
            try
            {
                KernelCheck.Kernel(script.Kernel, await fetch(script.Kernel), Traits.Machine);
                if (script.Initramfs.Length > 0)
                    KernelCheck.Initramfs(script.Initramfs, await fetch(script.Initramfs));
                return new BootFiles(script.Kernel, script.Initramfs.Length > 0 ? script.Initramfs : null, "",
                    script.CommandLine);
            }
            catch (FetchFailedException e) when (script.Retry)
            {
                run.Note(BoardStage.Tftp, $"{e.Message}; the script tries again");
                await run.WaitAsync(TimeSpan.FromSeconds(10));
            }
        }
    }
}
