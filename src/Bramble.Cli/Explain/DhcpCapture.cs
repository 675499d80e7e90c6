using Bramble.Wire.Dhcp;
using Bramble.Wire.Pcap;

namespace Bramble.Cli.Explain;

/// <summary>The questions of DHCP clients in a capture file.</summary>
internal static class DhcpCapture
{
    private const int ServerPort = 67;
    private const int ProxyPort = 4011;
    private const long LargestFile = 256L << 20;

    /// <summary>As many as the manager takes at once.</summary>
    private const int Most = 200;

    /// <summary>Each in hex, in the order of the file.</summary>
    /// <exception cref="UsageException">The file cannot be read, or holds none.</exception>
    public static IReadOnlyList<string> Questions(string file)
    {
        var octets = Read(file);
        if (!PcapReader.TryOpen(octets, out var reader, out var error)) throw new UsageException($"{file}: {error}");
        if (reader.Header.LinkType != PcapHeader.LinkTypeEthernet)
            throw new UsageException($"{file}: captured on a link of type {reader.Header.LinkType}; only Ethernet is "
                + "read (name an interface to tcpdump, not 'any')");
        var questions = new List<string>();
        while (reader.TryNext(out _, out var frame))
        {
            if (!UdpFrame.TryRead(frame, out var udp, out var payload, out _)
                || udp.DestinationPort is not (ServerPort or ProxyPort)
                || !DhcpPacket.TryRead(payload, out var packet, out _) || packet.Operation != DhcpOperation.Request)
                continue;
            questions.Add(Convert.ToHexStringLower(payload));
            if (questions.Count > Most)
                throw new UsageException($"{file}: holds more than {Most} questions; cut it with 'editcap -r'");
        }
        if (reader.Error is { } damage) throw new UsageException($"{file}: {damage}");
        return questions.Count > 0 ? questions
            : throw new UsageException($"{file}: holds no question of a DHCP client");
    }

    private static byte[] Read(string file)
    {
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > LargestFile })
                throw new UsageException($"{file}: larger than {LargestFile >> 20} MiB; cut it with 'editcap'");
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{file}: {e.Message}");
        }
    }
}
