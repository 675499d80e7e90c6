using System.Globalization;
using Bramble.Boot.Loaders;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>
/// Builds the answers: which options, in which order. Most important first; what does not fit is left out.
/// </summary>
internal static class DhcpReplies
{
    private const string Always = "RFC 2131: always";
    private const string PiBoot = "Pi boot";
    private const string PxeBoot = "PXE boot";

    /// <summary>PXE discovery control: take the boot file from this very answer (PXE 2.1, sub-option 6 = 8).</summary>
    private static ReadOnlySpan<byte> PxeUseThisAnswer => [0x06, 0x01, 0x08, 0xff];

    /// <summary>iPXE's encapsulated option 176 = 1.</summary>
    private static ReadOnlySpan<byte> IpxeNoProxyDhcp => [176, 1, 1];

    /// <summary>An OFFER, or an ACK that gives an address.</summary>
    public static DhcpPacket Binding(DhcpMessageType type, in DhcpQuestion q, IPv4Address address, TimeSpan lease)
    {
        var reply = Start(type, q);
        reply.YourAddress = address;
        if (type == DhcpMessageType.Ack) reply.ClientAddress = q.Packet.ClientAddress;
        var seconds = Seconds(lease);
        reply.Options.Set(DhcpOption.LeaseTime, seconds);
        q.Trace?.Rule(DhcpOption.LeaseTime, q.LeaseRule);
        Configure(reply, q, seconds);
        Finish(reply, q);
        return reply;
    }

    /// <summary>
    /// An answer to a BOOTP client: options of RFC 2132 as its vendor information, none of those that only DHCP knows
    /// (RFC 1534 §2).
    /// </summary>
    public static DhcpPacket Bootp(in DhcpQuestion q, IPv4Address address)
    {
        var reply = Header(q.Packet);
        reply.MayOverload = false;
        reply.YourAddress = address;
        Configure(reply, q, null);
        q.Trace?.Rest(reply.Options, "RFC 1534: BOOTP");
        return reply;
    }

    /// <summary>An ACK to an INFORM: no address, no times (RFC 2131 §4.3.5).</summary>
    public static DhcpPacket Information(in DhcpQuestion q)
    {
        var reply = Start(DhcpMessageType.Ack, q);
        reply.ClientAddress = q.Packet.ClientAddress;
        Configure(reply, q, null);
        Finish(reply, q);
        return reply;
    }

    /// <summary>Boot options only, beside another server.</summary>
    public static DhcpPacket Proxy(DhcpMessageType type, in DhcpQuestion q)
    {
        var (packet, board, network) = (q.Packet, q.Board, q.Network);
        var reply = Start(type, q);
        if (type == DhcpMessageType.Ack) reply.ClientAddress = packet.ClientAddress;
        if (board.Family.IsPi())
        {
            AddPiBoot(reply, packet, network);
            q.Trace?.Rest(reply.Options, PiBoot);
        }
        else
        {
            // A UEFI client that sees no option 43 in the OFFER asks port 4011; a BIOS takes the file from here.
            AddPxeBoot(reply, packet, board, network, menu: board.ClientArchitecture == 0);
            q.Trace?.Rest(reply.Options, PxeBoot);
        }
        Finish(reply, q);
        return reply;
    }

    /// <summary>A NAK, with words for the client's log (RFC 2131 §4.3.2, table 3).</summary>
    public static DhcpPacket Nak(in DhcpQuestion q, string message)
    {
        var reply = Start(DhcpMessageType.Nak, q);
        reply.Options.Set(DhcpOption.Message, message);
        q.Trace?.Rule(DhcpOption.Message, "RFC 2131 §4.3.2: why it is refused");
        // RFC 2131 §4.3.2: through a relay the client, which may be elsewhere, must get it by broadcast.
        if (!q.Packet.RelayAddress.IsAny) reply.Flags |= DhcpPacket.BroadcastFlag;
        Finish(reply, q);
        return reply;
    }

    /// <summary>Whether the network has a boot file for this PXE client.</summary>
    public static bool HasBootFile(BoardIdentity board, DhcpNetwork network) =>
        LoaderChoice.For(board, network.Loaders) is not null;

    /// <summary>
    /// Writes an answer into a buffer; options that do not fit are dropped from the end. 0 if none fits.
    /// </summary>
    public static int Write(DhcpPacket reply, Span<byte> buffer)
    {
        int size;
        // The first three say what the message is, from whom, and for how long.
        while ((size = reply.Write(buffer)) == 0 && reply.Options.Count > 3)
        {
            var last = reply.Options.Count - 1;
            if (reply.Options.OptionAt(last) == DhcpOption.RelayAgentInformation) last--;
            reply.Options.Remove(reply.Options.OptionAt(last));
        }
        return size;
    }

    private static DhcpPacket Start(DhcpMessageType type, in DhcpQuestion q)
    {
        var reply = Header(q.Packet);
        reply.Options.Set(DhcpOption.MessageType, (byte)type)
            .Set(DhcpOption.ServerIdentifier, q.ServerIdentifier);
        if (q.Trace is { } trace)
        {
            trace.Rule(DhcpOption.ServerIdentifier, q.ServerIdentifier == q.Network.Server.Address
                ? Always : "RFC 5107: the relay's override");
            trace.Rest(reply.Options, Always);
        }
        return reply;
    }

    private static DhcpPacket Header(DhcpPacket packet) => new()
    {
        Operation = DhcpOperation.Reply,
        HardwareType = packet.HardwareType,
        HardwareLength = packet.HardwareLength,
        TransactionId = packet.TransactionId,
        Flags = packet.Flags,
        RelayAddress = packet.RelayAddress,
        HardwareBits = packet.HardwareBits,
    };

    private static void Finish(DhcpPacket reply, in DhcpQuestion q)
    {
        var packet = q.Packet;
        // RFC 6842 §3: what the client called itself comes back, in a NAK as well.
        if (packet.Options.TryGet(DhcpOption.ClientIdentifier, out var id) && id.Length > 0)
        {
            reply.Options.Set(DhcpOption.ClientIdentifier, id);
            q.Trace?.Rule(DhcpOption.ClientIdentifier, "RFC 6842: echoed");
        }
        // RFC 3046 §2.2: the relay's option comes back as the last one.
        if (!packet.RelayAddress.IsAny && packet.Options.TryGet(DhcpOption.RelayAgentInformation, out var relay))
        {
            reply.Options.Set(DhcpOption.RelayAgentInformation, relay);
            q.Trace?.Rule(DhcpOption.RelayAgentInformation, "RFC 3046: echoed to the relay");
        }
    }

    private static void Configure(DhcpPacket reply, in DhcpQuestion q, uint? seconds)
    {
        var (packet, board, network) = (q.Packet, q.Board, q.Network);
        var options = reply.Options;
        // Always, asked for or not: the 3B's ROM asks for neither and needs both.
        options.Set(DhcpOption.SubnetMask, network.Subnet.Mask);
        if (network.Router is { } router) options.Set(DhcpOption.Router, router);
        q.Trace?.Rule(DhcpOption.SubnetMask, $"network {network.Name}: address; always");
        q.Trace?.Rest(options, $"network {network.Name}: router; always");
        if (q.Plan.NetBoot && board.Family.IsPi())
        {
            // A Pi's firmware reads nothing but these; each further option is a risk without a use.
            AddPiBoot(reply, packet, network);
            q.Trace?.Rest(options, PiBoot);
            ConfiguredOptions.Add(options, q, isPiBoot: true);
            return;
        }
        if (q.Plan.NetBoot && HasBootFile(board, network))
        {
            AddPxeBoot(reply, packet, board, network, menu: true);
            q.Trace?.Rest(options, PxeBoot);
        }
        AddUsual(options, q, seconds);
        ConfiguredOptions.Add(options, q, isPiBoot: false);
        // Old ROMs read the field, newer ones the option: they must not name two files.
        if (!reply.File.IsEmpty && options.TryGet(DhcpOption.BootFileName, out var file))
            reply.File = file.Length < 128 ? file.ToArray() : default;
    }

    /// <summary>What an installed system asks for.</summary>
    private static void AddUsual(DhcpOptions options, in DhcpQuestion q, uint? seconds)
    {
        var network = q.Network;
        var all = !q.Packet.Options.TryGet(DhcpOption.ParameterRequestList, out var asked);
        if (network.DnsServers.Count > 0 && Wanted(DhcpOption.DomainNameServer, asked))
            options.Set(DhcpOption.DomainNameServer, network.DnsServers);
        if (q.Plan.HostName is { Length: > 0 } name && Wanted(DhcpOption.HostName, asked))
        {
            options.Set(DhcpOption.HostName, name);
            q.Trace?.Rule(DhcpOption.HostName, $"node {name}: name");
        }
        if (network.Domain is { Length: > 0 } domain && Wanted(DhcpOption.DomainName, asked))
            options.Set(DhcpOption.DomainName, domain);
        if (network.NtpServers.Count > 0 && Wanted(DhcpOption.NtpServers, asked))
            options.Set(DhcpOption.NtpServers, network.NtpServers);
        q.Trace?.Rest(options, $"network {network.Name}");
        if (Wanted(DhcpOption.BroadcastAddress, asked) && network.Subnet.Length < 31)
            options.Set(DhcpOption.BroadcastAddress, network.Subnet.Broadcast);
        q.Trace?.Rest(options, $"network {network.Name}: address");
        // RFC 2131 §4.4.5: half and seven eighths are what a client takes unasked.
        if (seconds is not { } s) return;
        if (Wanted(DhcpOption.RenewalTime, asked)) options.Set(DhcpOption.RenewalTime, s / 2);
        if (Wanted(DhcpOption.RebindingTime, asked)) options.Set(DhcpOption.RebindingTime, (uint)(s * 7L / 8));
        q.Trace?.Rest(options, "RFC 2131 §4.4.5: of the lease's time");

        bool Wanted(DhcpOption option, ReadOnlySpan<byte> list) => all || list.Contains((byte)option);
    }

    /// <summary>
    /// What a Pi boots from. It takes the TFTP server from option 66, else from 54; old 3B code ignores siaddr
    /// (FW#801): all three say the same.
    /// </summary>
    private static void AddPiBoot(DhcpPacket reply, DhcpPacket packet, DhcpNetwork network)
    {
        reply.NextServer = network.Server.Address;
        reply.Options.Set(DhcpOption.VendorClass, "PXEClient"u8);
        EchoMachineIdentifier(reply, packet);
        reply.Options.Set(DhcpOption.VendorSpecific, PxeVendorOptions.RaspberryPiBoot)
            .Set(DhcpOption.TftpServerName, network.Server.Address.ToString());
    }

    private static void AddPxeBoot(
        DhcpPacket reply, DhcpPacket packet, BoardIdentity board, DhcpNetwork network, bool menu)
    {
        var http = board.Client == BootClient.Http;
        reply.Options.Set(DhcpOption.VendorClass, http ? "HTTPClient"u8 : "PXEClient"u8);
        EchoMachineIdentifier(reply, packet);
        if (LoaderChoice.For(board, network.Loaders)?.Name is not { } file) return;
        if (menu && !http) reply.Options.Set(DhcpOption.VendorSpecific, PxeUseThisAnswer);
        reply.NextServer = network.Server.Address;
        if (!http) reply.Options.Set(DhcpOption.TftpServerName, network.Server.Address.ToString());
        if (file.Length == 0) return;
        // iPXE otherwise waits seconds for a ProxyDHCP server that may still answer (ipxe.org, option no-pxedhcp).
        if (board.Client == BootClient.Ipxe && network.Mode != DhcpMode.Proxy)
            reply.Options.Set(DhcpOption.IpxeEncapsulated, IpxeNoProxyDhcp);
        reply.Options.Set(DhcpOption.BootFileName, file);
        var octets = System.Text.Encoding.Latin1.GetBytes(file);
        // With a NUL behind it, as old ROMs expect; a longer name is in option 67 alone.
        if (octets.Length < 128) reply.File = octets;
    }

    /// <summary>RFC 4578 §2.3: the server returns option 97 as it came.</summary>
    private static void EchoMachineIdentifier(DhcpPacket reply, DhcpPacket packet)
    {
        if (packet.Options.TryGet(DhcpOption.ClientMachineIdentifier, out var id))
            reply.Options.Set(DhcpOption.ClientMachineIdentifier, id);
    }

    private static uint Seconds(TimeSpan time) => (uint)Math.Clamp(time.TotalSeconds, 1, uint.MaxValue - 1);

    /// <summary>A lease in words: <c>10.0.0.7 for 3600 s</c>.</summary>
    public static string Words(IPv4Address address, TimeSpan lease) => lease == TimeSpan.MaxValue
        ? $"{address} for ever"
        : string.Create(CultureInfo.InvariantCulture, $"{address} for {Seconds(lease)} s");
}
