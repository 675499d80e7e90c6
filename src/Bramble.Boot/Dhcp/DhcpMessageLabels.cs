using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

internal static class DhcpMessageLabels
{
    /// <summary>
    /// The name that the RFC and every log use: <c>DISCOVER</c>. A number out of range is <c>OTHER</c>.
    /// </summary>
    public static string Label(this DhcpMessageType type) => type switch
    {
        DhcpMessageType.Discover => "DISCOVER",
        DhcpMessageType.Offer => "OFFER",
        DhcpMessageType.Request => "REQUEST",
        DhcpMessageType.Decline => "DECLINE",
        DhcpMessageType.Ack => "ACK",
        DhcpMessageType.Nak => "NAK",
        DhcpMessageType.Release => "RELEASE",
        DhcpMessageType.Inform => "INFORM",
        _ => "OTHER",
    };
}
