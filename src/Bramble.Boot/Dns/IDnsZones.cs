namespace Bramble.Boot.Dns;

/// <summary>
/// The names that we know ourselves. The manager replaces the snapshot as nodes come, go and move; the servers read it
/// for each question anew and never wait.
/// </summary>
public interface IDnsZones
{
    DnsZones Current { get; }
}
