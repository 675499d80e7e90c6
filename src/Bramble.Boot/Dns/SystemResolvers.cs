using System.Net;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Dns;

/// <summary>
/// The name servers that this host itself uses: the <c>nameserver</c> lines of resolv.conf(5), read again when the file
/// changes, since a DHCP client rewrites it. Thread-safe.
/// </summary>
/// <param name="ours">Our own addresses: to ask ourselves would go in circles.</param>
public sealed class SystemResolvers(string file, IReadOnlyCollection<IPAddress> ours, TimeProvider clock)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private IReadOnlyList<IPEndPoint> _servers = [];
    private DateTime _written;
    private long? _lookedAt;

    public IReadOnlyList<IPEndPoint> Current
    {
        get
        {
            lock (_lock)
            {
                if (_lookedAt is { } at && clock.GetElapsedTime(at) < LookAgain) return _servers;
                _lookedAt = clock.GetTimestamp();
                // A file that is not there has a time of its own as well.
                var written = File.GetLastWriteTimeUtc(file);
                if (written == _written) return _servers;
                _written = written;
                return _servers = Read();
            }
        }
    }

    private List<IPEndPoint> Read()
    {
        try
        {
            return [.. File.ReadLines(file)
                .Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["nameserver", _, ..])
                .Select(words => IPAddress.TryParse(words[1], out var address) ? address : null)
                .OfType<IPAddress>().Where(address => !ours.Contains(address))
                .Select(address => new IPEndPoint(address, DnsMessage.Port))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
