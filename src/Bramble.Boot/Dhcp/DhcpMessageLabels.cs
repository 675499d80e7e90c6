using Bramble.Wire.Dhcp;

namespace Bramble.Boot.Dhcp;

/// <summary>Names for people and counters.</summary>
public static class DhcpMessageLabels
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
        DhcpMessageType.None => "BOOTP",
        _ => "OTHER",
    };

    /// <summary>The same for what we say: to BOOTP there is but one answer.</summary>
    public static string AnswerLabel(this DhcpMessageType type) =>
        type == DhcpMessageType.None ? "BOOTREPLY" : type.Label();

    /// <summary>A board in a few words.</summary>
    public static string Describe(BoardIdentity board) =>
        board.Model.Length == 0 ? board.Family == BoardFamily.Pxe ? "a PXE client" : "a client that does not netboot"
            : board.Serial.Length == 0 ? board.Model
            : $"{board.Model}, serial {board.Serial}";
}
