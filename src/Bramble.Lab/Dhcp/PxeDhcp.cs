using System.Text;
using Bramble.Lab.Boards;
using Bramble.Lab.Network;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>Where a PC is told to fetch its boot file.</summary>
/// <param name="Server">For TFTP; also whom port 4011 is asked at.</param>
/// <param name="File">A path, or a URL; empty if port 4011 is to be asked.</param>
internal sealed record PxeBoot(IPv4Address Server, string File);

/// <summary>
/// The DHCP of a PC's boot program (PXE 2.1 §2.2): it gathers offers, takes an address from one server and may take the
/// boot file from another, which gives no addresses. Messages are repeated after 4, 8, 16 and 32 s.
/// </summary>
internal sealed class PxeDhcp(BoardSpec board, PxeKind kind, Random random) : IDhcpClient
{
    /// <summary>PXE 2.1 §2.2.2; EDK II and iPXE keep to it.</summary>
    private static readonly int[] s_timeouts = [4, 8, 16, 32];

    private readonly uint _xid = (uint)random.NextInt64(1, 0x1_0000_0000);
    private readonly Encoding _latin = Encoding.Latin1;
    private TimeSpan _sentAt;
    private int _try;
    private DhcpLease? _offer;
    private PxeBoot? _offerBoot;
    private PxeBoot? _proxyBoot;
    private bool _requesting;

    public TimeSpan? Deadline { get; private set; }

    public DhcpLease? Lease { get; private set; }

    public bool HasGivenUp { get; private set; }

    /// <summary>Null if no server named a boot file.</summary>
    public PxeBoot? Boot { get; private set; }

    public DhcpPacket? Start(TimeSpan now) => Discover(now);

    public DhcpPacket? Tick(TimeSpan now)
    {
        if (Deadline is null || now < Deadline) return null;
        // The first timeout is also the time in which offers are gathered.
        if (!_requesting && _offer is not null && (_offerBoot ?? _proxyBoot) is not null) return Request(now);
        if (++_try < s_timeouts.Length) return _requesting ? Request(now) : Discover(now);
        Deadline = null;
        HasGivenUp = true;
        return null;
    }

    public DhcpPacket? Receive(DhcpArrival arrival, TimeSpan now)
    {
        var packet = arrival.Packet;
        if (Deadline is null || packet.TransactionId != _xid || packet.Mac != board.Mac) return null;
        switch (packet.MessageType)
        {
            case DhcpMessageType.Offer when !_requesting:
                Gather(arrival, now);
                // iPXE goes on as soon as one offer has all that it needs; firmware gathers to the end.
                return kind == PxeKind.Ipxe && _offer is not null && (_offerBoot ?? _proxyBoot) is not null
                    ? Request(now) : null;
            case DhcpMessageType.Ack when _requesting && packet.YourAddress == _offer!.Address:
                Lease = DhcpLease.Read(arrival, _sentAt, now);
                Boot = BootOf(packet, Lease.Server) ?? _offerBoot ?? _proxyBoot;
                Deadline = null;
                return null;
            case DhcpMessageType.Nak when _requesting:
                _requesting = false;
                _offer = null;
                (_offerBoot, _proxyBoot) = (null, null);
                return Discover(now);
            default:
                return null;
        }
    }

    private void Gather(DhcpArrival arrival, TimeSpan now)
    {
        var offer = DhcpLease.Read(arrival, _sentAt, now);
        var boot = BootOf(arrival.Packet, offer.Server);
        if (arrival.Packet.YourAddress.IsAny)
        {
            _proxyBoot ??= boot;
            return;
        }
        // An address with a boot file is better than one without (PXE 2.1 §2.2.4).
        if (_offer is not null && (_offerBoot is not null || boot is null)) return;
        _offer = offer;
        _offerBoot = boot;
    }

    /// <summary>What an answer says of booting; null if it is not meant for network boot.</summary>
    private PxeBoot? BootOf(DhcpPacket packet, IPv4Address server)
    {
        // UEFI specification 2.10 §24.7.3.1: without this class an answer is none for HTTP boot.
        var isHttp = board.Traits.Pc!.IsHttp && kind == PxeKind.Uefi;
        if (!packet.Options.StartsWith(DhcpOption.VendorClass, isHttp ? "HTTPClient"u8 : "PXEClient"u8)
            && kind != PxeKind.Ipxe) return null;
        var file = packet.Options.TryGet(DhcpOption.BootFileName, out var name)
            ? _latin.GetString(name).TrimEnd('\0') : packet.BootFile.TrimEnd('\0');
        var next = packet.NextServer.IsAny ? server : packet.NextServer;
        if (isHttp) return file.StartsWith("http://", StringComparison.Ordinal) ? new PxeBoot(next, file) : null;
        var hasMenu = packet.Options.TryGet(DhcpOption.VendorSpecific, out _);
        // EDK II takes a proxy's answer without option 43 for one that wants to be asked at port 4011.
        if (kind == PxeKind.Uefi && packet.YourAddress.IsAny && !hasMenu) return new PxeBoot(server, "");
        return file.Length == 0 ? null : new PxeBoot(next, file);
    }

    private DhcpPacket Discover(TimeSpan now)
    {
        Arm(now);
        return PxePackets.Discover(board, kind, _xid);
    }

    private DhcpPacket Request(TimeSpan now)
    {
        if (!_requesting) _try = 0;
        _requesting = true;
        Arm(now);
        return PxePackets.Request(board, kind, _xid, _offer!.Address, _offer.Server);
    }

    private void Arm(TimeSpan now)
    {
        _sentAt = now;
        Deadline = now + TimeSpan.FromSeconds(s_timeouts[Math.Min(_try, s_timeouts.Length - 1)]);
    }
}
