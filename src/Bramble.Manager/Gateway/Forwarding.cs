using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bramble.Manager.Gateway;

/// <summary>
/// Which interfaces take packets for others (net.ipv4.conf.NAME.forwarding). What we switch on is noted in a file
/// before it is done, so that a daemon that was killed knows at its next start what to switch off again.
/// </summary>
/// <param name="stateFile">Where it is noted.</param>
/// <param name="root">"/proc"; another one for tests.</param>
internal sealed class Forwarding(string stateFile, string root = "/proc")
{
    private ForwardingRecord _record = Load(stateFile, BootId(root));

    /// <summary>
    /// Interfaces that we opened and that would be closed without us. Empty while the host as a whole has become a
    /// router since: then it is not ours to say what goes through it.
    /// </summary>
    public IReadOnlyCollection<string> Opened => HostForwards() == _record.HostForwarded ? _record.Opened : [];

    public bool HasRecord => File.Exists(stateFile);

    /// <summary>Whether there is such an interface with IPv4.</summary>
    public bool Exists(string face) => File.Exists(FileOf(face));

    /// <summary>Notes what is about to be opened. To be done before anything of the gateway is set up.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Note(IEnumerable<string> faces)
    {
        string[] closed = [.. faces.Where(face => !_record.Opened.Contains(face) && Read(FileOf(face)) == "0")];
        if (closed.Length == 0 && HasRecord) return;
        var host = _record.Opened.Count == 0 ? HostForwards() : _record.HostForwarded;
        Keep(_record with { HostForwarded = host, Opened = [.. _record.Opened, .. closed] });
    }

    /// <summary>Makes an interface, which has been noted, take packets for others.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public void Open(string face)
    {
        if (Read(FileOf(face)) == "0") File.WriteAllText(FileOf(face), "1");
    }

    /// <summary>Closes what we opened, all but these.</summary>
    /// <exception cref="IOException">The kernel or the disk refused.</exception>
    public void CloseAllBut(IReadOnlyCollection<string> kept)
    {
        foreach (var face in _record.Opened.Except(kept).ToArray())
        {
            // Somebody made the host a router meanwhile, which opens every interface: that wish is theirs.
            if (Exists(face) && HostForwards() == _record.HostForwarded) File.WriteAllText(FileOf(face), "0");
            Keep(_record with { Opened = [.. _record.Opened.Where(other => other != face)] });
        }
    }

    /// <summary>Nothing of ours is left: the note goes.</summary>
    public void Forget() => File.Delete(stateFile);

    private bool HostForwards() => Read(Path.Combine(root, "sys/net/ipv4/ip_forward")) == "1";

    private string FileOf(string face) => Path.Combine(root, "sys/net/ipv4/conf", face, "forwarding");

    private static string Read(string file) => File.Exists(file) ? File.ReadAllText(file).Trim() : "";

    private static string BootId(string root) => Read(Path.Combine(root, "sys/kernel/random/boot_id"));

    /// <summary>After a restart of the host all is as its own configuration says: the note is void.</summary>
    private static ForwardingRecord Load(string stateFile, string boot)
    {
        var fresh = new ForwardingRecord(boot, false, []);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(stateFile), ForwardingJson.Default.ForwardingRecord)
                is { } kept && kept.Boot == boot ? kept : fresh;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return fresh;
        }
    }

    private void Keep(ForwardingRecord record)
    {
        var aside = stateFile + ".new";
        File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(record, ForwardingJson.Default.ForwardingRecord));
        File.Move(aside, stateFile, overwrite: true);
        _record = record;
    }
}

/// <param name="Boot">The kernel's id of this boot of the host.</param>
/// <param name="HostForwarded">Whether the host as a whole was a router (net.ipv4.ip_forward) before we came.</param>
/// <param name="Opened">Interfaces that did not forward before.</param>
internal sealed record ForwardingRecord(string Boot, bool HostForwarded, IReadOnlyList<string> Opened);

[JsonSerializable(typeof(ForwardingRecord))]
internal sealed partial class ForwardingJson : JsonSerializerContext;
