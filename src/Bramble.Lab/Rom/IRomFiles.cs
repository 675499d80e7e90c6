using System.Text;
using Bramble.Lab.Tftp;

namespace Bramble.Lab.Rom;

/// <summary>How the firmware's order of requests reaches the network.</summary>
internal interface IRomFiles
{
    /// <summary>Fetches a file whole.</summary>
    /// <param name="sink">Takes the content; null if only its coming matters.</param>
    Task<TftpResult> GetAsync(string path, TftpHabits habits, bool probe, Stream? sink);
}

/// <summary>The firmware's ways to ask: everything below one prefix, with one set of habits.</summary>
internal sealed class RomShelf(IRomFiles files, TftpHabits habits, string prefix, Func<string, Stream?> keep)
{
    public string Prefix => prefix;

    /// <summary>Whether the file is there; nothing of it is loaded.</summary>
    public async Task<bool> ProbeAsync(string name) =>
        Check(name, await files.GetAsync(prefix + name, habits, probe: true, null)).IsThere;

    /// <summary>Loads a file that the boot can do without.</summary>
    public async Task<bool> TryLoadAsync(string name)
    {
        using var sink = keep(prefix + name);
        return Check(name, await files.GetAsync(prefix + name, habits, probe: false, sink)).IsThere;
    }

    /// <exception cref="BootStoppedException">It is not there.</exception>
    public async Task LoadAsync(string name)
    {
        if (!await TryLoadAsync(name)) throw new BootStoppedException($"{prefix}{name} is not there");
    }

    /// <summary>A text file; null if it is not there.</summary>
    public async Task<string?> TextAsync(string name)
    {
        using var text = new MemoryStream();
        var result = await files.GetAsync(prefix + name, habits, probe: false, text);
        if (!Check(name, result).IsThere) return null;
        if (keep(prefix + name) is { } kept)
        {
            using (kept) text.WriteTo(kept);
        }
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private TftpResult Check(string name, TftpResult result) => result.Outcome == TftpOutcome.Failed
        ? throw new BootStoppedException($"{prefix}{name}: {result.Reason}")
        : result;
}
