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
    /// <summary>PXE discovery control: take the boot file from this very answer (PXE 2.1, sub-option 6 = 8).</summary>
    private static ReadOnlySpan<byte> PxeUseThisAnswer => [0x06, 0x01, 0x08, 0xff];

    /// <summary>iPXE's encapsulated option 176 = 1.</summary>
    private static ReadOnlySpan<byte> IpxeNoProxyDhcp => [176, 1, 1];

    /// <summary>An OFFER, or an ACK that gives an address.</summary>
    public static DhcpPacket Binding(
        DhcpMessageType type, DhcpPacket packet, IPv4Address address, BoardIdentity board, BoardPlan plan,
        DhcpNetwork network)
    {
        var reply = Start(type, packet, network);
        reply.YourAddress = address;
        if (type == DhcpMessageType.Ack) reply.ClientAddress = packet.ClientAddress;
        var seconds = Seconds(network.LeaseTime);
        reply.Options.Set(DhcpOption.LeaseTime, seconds);
        Configure(reply, packet, board, plan, network, seconds);
        Finish(reply, packet);
        return reply;
    }

    /// <summary>An ACK to an INFORM: no address, no times (RFC 2131 §4.3.5).</summary>
    public static DhcpPacket Information(DhcpPacket packet, BoardIdentity board, BoardPlan plan, DhcpNetwork network)
    {
        var reply = Start(DhcpMessageType.Ack, packet, network);
        reply.ClientAddress = packet.ClientAddress;
        Configure(reply, packet, board, plan, network, null);
        Finish(reply, packet);
        return reply;
    }

    /// <summary>Boot options only, beside another server.</summary>
    public static DhcpPacket Proxy(DhcpMessageType type, DhcpPacket packet, BoardIdentity board, DhcpNetwork network)
    {
        var reply = Start(type, packet, network);
        if (type == DhcpMessageType.Ack) reply.ClientAddress = packet.ClientAddress;
        if (board.Family.IsPi())
        {
            AddPiBoot(reply, packet, network);
        }
        else
        {
            // A UEFI client that sees no option 43 in the OFFER asks port 4011; a BIOS takes the file from here.
            AddPxeBoot(reply, packet, board, network, menu: board.ClientArchitecture == 0);
        }
        Finish(reply, packet);
        return reply;
    }

    /// <summary>A NAK, with words for the client's log (RFC 2131 §4.3.2, table 3).</summary>
    public static DhcpPacket Nak(DhcpPacket packet, DhcpNetwork network, string message)
    {
        var reply = Start(DhcpMessageType.Nak, packet, network);
        reply.Options.Set(DhcpOption.Message, message);
        // RFC 2131 §4.3.2: through a relay the client, which may be elsewhere, must get it by broadcast.
        if (!packet.RelayAddress.IsAny) reply.Flags |= DhcpPacket.BroadcastFlag;
        Finish(reply, packet);
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

    private static DhcpPacket Start(DhcpMessageType type, DhcpPacket packet, DhcpNetwork network)
    {
        var reply = new DhcpPacket
        {
            Operation = DhcpOperation.Reply,
            HardwareType = packet.HardwareType,
            HardwareLength = packet.HardwareLength,
            TransactionId = packet.TransactionId,
            Flags = packet.Flags,
            RelayAddress = packet.RelayAddress,
            HardwareBits = packet.HardwareBits,
        };
        reply.Options.Set(DhcpOption.MessageType, (byte)type)
            .Set(DhcpOption.ServerIdentifier, network.Server.Address);
        return reply;
    }

    private static void Finish(DhcpPacket reply, DhcpPacket packet)
    {
        // RFC 6842 §3: what the client called itself comes back, in a NAK as well.
        if (packet.Options.TryGet(DhcpOption.ClientIdentifier, out var id) && id.Length > 0)
            reply.Options.Set(DhcpOption.ClientIdentifier, id);
        // RFC 3046 §2.2: the relay's option comes back as the last one.
        if (!packet.RelayAddress.IsAny && packet.Options.TryGet(DhcpOption.RelayAgentInformation, out var relay))
            reply.Options.Set(DhcpOption.RelayAgentInformation, relay);
    }

    private static void Configure(
        DhcpPacket reply, DhcpPacket packet, BoardIdentity board, BoardPlan plan, DhcpNetwork network, uint? seconds)
    {
        var options = reply.Options;
        // Always, asked for or not: the 3B's ROM asks for neither and needs both.
        options.Set(DhcpOption.SubnetMask, network.Server.Mask);
        if (network.Router is { } router) options.Set(DhcpOption.Router, router);
        if (plan.NetBoot && board.Family.IsPi())
        {
            // A Pi's firmware reads nothing but these; each further option is a risk without a use.
            AddPiBoot(reply, packet, network);
            return;
        }
        if (plan.NetBoot && HasBootFile(board, network)) AddPxeBoot(reply, packet, board, network, menu: true);

        var all = !packet.Options.TryGet(DhcpOption.ParameterRequestList, out var asked);
        if (network.DnsServers.Count > 0 && Wanted(DhcpOption.DomainNameServer, asked))
            options.Set(DhcpOption.DomainNameServer, network.DnsServers);
        if (plan.HostName is { Length: > 0 } name && Wanted(DhcpOption.HostName, asked))
            options.Set(DhcpOption.HostName, name);
        if (network.Domain is { Length: > 0 } domain && Wanted(DhcpOption.DomainName, asked))
            options.Set(DhcpOption.DomainName, domain);
        if (network.NtpServers.Count > 0 && Wanted(DhcpOption.NtpServers, asked))
            options.Set(DhcpOption.NtpServers, network.NtpServers);
        if (Wanted(DhcpOption.BroadcastAddress, asked) && network.Server.Length < 31)
            options.Set(DhcpOption.BroadcastAddress, network.Server.Broadcast);
        // RFC 2131 §4.4.5: half and seven eighths are what a client takes unasked.
        if (seconds is not { } s) return;
        if (Wanted(DhcpOption.RenewalTime, asked)) options.Set(DhcpOption.RenewalTime, s / 2);
        if (Wanted(DhcpOption.RebindingTime, asked)) options.Set(DhcpOption.RebindingTime, (uint)(s * 7L / 8));

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
    public static string Words(IPv4Address address, DhcpNetwork network) =>
        string.Create(CultureInfo.InvariantCulture, $"{address} for {Seconds(network.LeaseTime)} s");
}
