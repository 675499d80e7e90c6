using Bramble.Lab.Network;
using Bramble.Wire;
using Bramble.Wire.Dhcp;

namespace Bramble.Lab.Dhcp;

/// <summary>Which program asks.</summary>
internal enum PlainDhcpKind
{
    /// <summary>busybox's udhcpc 1.35, started with <c>-C -t 5 -T 2</c> as the installer does.</summary>
    Udhcpc,

    /// <summary>An installed system: client identifier made of the MAC, host name, no vendor class.</summary>
    System,
}

/// <summary>
/// A client that wants no boot file. It gives up after five tries, 2 s apart; the caller starts another.
/// </summary>
internal sealed class PlainDhcp(MacAddress mac, PlainDhcpKind kind, string hostName, Random random) : IDhcpClient
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private const int Tries = 5;

    private readonly uint _xid = (uint)random.NextInt64(1, 0x1_0000_0000);
    private TimeSpan _start;
    private TimeSpan _sentAt;
    private int _sent;
    private DhcpLease? _offer;

    public TimeSpan? Deadline { get; private set; }

    public DhcpLease? Lease { get; private set; }

    public bool HasGivenUp { get; private set; }

    public DhcpPacket? Start(TimeSpan now)
    {
        _start = now;
        return Send(now);
    }

    public DhcpPacket? Tick(TimeSpan now)
    {
        if (Deadline is null || now < Deadline) return null;
        if (_sent < Tries) return Send(now);
        if (_offer is not null)
        {
            // Nobody stands by the offer any more: look for another.
            _offer = null;
            _sent = 0;
            return Send(now);
        }
        Deadline = null;
        HasGivenUp = true;
        return null;
    }

    public DhcpPacket? Receive(DhcpArrival arrival, TimeSpan now)
    {
        var packet = arrival.Packet;
        if (Deadline is null || packet.TransactionId != _xid || packet.Mac != mac) return null;
        switch (packet.MessageType)
        {
            case DhcpMessageType.Offer when _offer is null && !packet.YourAddress.IsAny:
                _offer = DhcpLease.Read(arrival, _sentAt, now);
                _sent = 0;
                return Send(now);
            case DhcpMessageType.Ack when _offer is not null && !packet.YourAddress.IsAny:
                Lease = DhcpLease.Read(arrival, _sentAt, now);
                Deadline = null;
                return null;
            case DhcpMessageType.Nak when _offer is not null:
                _offer = null;
                _sent = 0;
                return Send(now);
            default:
                return null;
        }
    }

    /// <summary>
    /// A REQUEST that prolongs a lease (RFC 2131 §4.3.2, RENEWING and REBINDING): <c>ciaddr</c>, no options 50 and 54.
    /// </summary>
    public static DhcpPacket Renewal(
        MacAddress mac, PlainDhcpKind kind, string hostName, IPv4Address address, uint xid)
    {
        var packet = new DhcpPacket { TransactionId = xid, Mac = mac, ClientAddress = address };
        packet.Options.Set(DhcpOption.MessageType, (byte)DhcpMessageType.Request);
        return Finish(packet, mac, kind, hostName);
    }

    private DhcpPacket Send(TimeSpan now)
    {
        _sent++;
        _sentAt = now;
        Deadline = now + Interval;
        var packet = new DhcpPacket
        {
            TransactionId = _xid,
            Mac = mac,
            Seconds = (ushort)Math.Min((now - _start).TotalSeconds, ushort.MaxValue),
        };
        packet.Options.Set(
            DhcpOption.MessageType, (byte)(_offer is null ? DhcpMessageType.Discover : DhcpMessageType.Request));
        if (_offer is not null)
        {
            packet.Options.Set(DhcpOption.RequestedAddress, _offer.Address);
            packet.Options.Set(DhcpOption.ServerIdentifier, _offer.Server);
        }
        return Finish(packet, mac, kind, hostName);
    }

    private static DhcpPacket Finish(DhcpPacket packet, MacAddress mac, PlainDhcpKind kind, string hostName)
    {
        if (kind == PlainDhcpKind.Udhcpc)
        {
            packet.Options.Set(DhcpOption.MaximumMessageSize, (ushort)576);
            packet.Options.Set(DhcpOption.ParameterRequestList, [1, 3, 6, 12, 15, 28, 42]);
            packet.Options.Set(DhcpOption.VendorClass, "udhcp 1.35.0");
            return packet;
        }
        Span<byte> id = stackalloc byte[7];
        id[0] = 1;
        mac.Write(id[1..]);
        packet.Options.Set(DhcpOption.ClientIdentifier, id);
        packet.Options.Set(DhcpOption.MaximumMessageSize, (ushort)1472);
        packet.Options.Set(DhcpOption.ParameterRequestList, [1, 3, 6, 12, 15, 26, 33, 42, 120, 121]);
        if (hostName.Length > 0) packet.Options.Set(DhcpOption.HostName, hostName);
        return packet;
    }
}
