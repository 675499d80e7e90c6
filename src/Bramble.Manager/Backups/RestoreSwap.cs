using System.Text.Json;
using System.Text.Json.Serialization;
using Bramble.Processes;

namespace Bramble.Manager.Backups;

/// <summary>
/// Puts an unpacked backup in the place of a state, inside the state directory (its parent may be another's). The
/// journal decides: without it the old state holds, and what was unpacked is swept; once it is there the new one holds,
/// and whoever finds it carries on where a killed restore stopped. Every step is one rename, and may be done again.
/// </summary>
internal sealed partial class RestoreSwap
{
    public const string StagingPrefix = ".restore-";

    private const string JournalName = "restore.journal";
    private const UnixFileMode OwnerDirectory =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public const string RestoredConfiguration = "restored-config";

    private static readonly string[] s_logs = ["bramble.db-wal", "bramble.db-shm"];

    /// <summary>
    /// What of the old state goes with the database; the write-ahead log first, since it must never meet a new one.
    /// </summary>
    private static readonly string[] s_items =
        [.. s_logs, BackupPaths.Secret, BackupPaths.HostKeys, RestoredConfiguration, BackupPaths.Database];

    private readonly string _state;

    private RestoreSwap(string state) => _state = state;

    /// <summary>Called after each step; a test stops it there.</summary>
    internal Action<string> Stepped { get; set; } = _ => { };

    /// <summary>
    /// Where the images of a backup are unpacked: on their own disk, under a name that the image store sweeps.
    /// </summary>
    public static string ImagesStaging(string state, string staging) =>
        Path.Combine(state, BackupPaths.Images, ".work" + Path.GetFileName(staging));

    public static bool IsPending(string state) => File.Exists(Path.Combine(state, JournalName));

    /// <summary>
    /// Carries on a restore that was interrupted, and sweeps one that had not begun; where there is neither, it does
    /// nothing. The caller has the state's lock.
    /// </summary>
    /// <returns>Where the old state lies, if something was carried on.</returns>
    public static async Task<string?> FinishAsync(string state, Action<string>? stepped = null)
    {
        var swap = new RestoreSwap(state) { Stepped = stepped ?? (_ => { }) };
        var journal = swap.Read();
        foreach (var left in Directory.EnumerateDirectories(state, StagingPrefix + "*"))
            if (Path.GetFileName(left) != journal?.Staging) Directory.Delete(left, recursive: true);
        return journal is null ? null : await swap.CarryOutAsync(journal).ConfigureAwait(false);
    }

    /// <summary>Makes of what was unpacked what takes its place; done twice, it is done.</summary>
    public static void Complete(string staging)
    {
        // A state without host keys is one too: theirs must not stay behind beside the new one's nodes.
        Directory.CreateDirectory(Path.Combine(staging, BackupPaths.HostKeys), OwnerDirectory);
        var configuration = Path.Combine(staging, BackupPaths.Configuration);
        if (!Directory.Exists(configuration)) return;
        File.SetUnixFileMode(configuration, OwnerDirectory);
        Directory.Move(configuration, Path.Combine(staging, RestoredConfiguration));
    }

    /// <param name="staging">A directory in the state directory, as the backup's reader has left it.</param>
    /// <returns>Where the old state lies now.</returns>
    public static async Task<string> RunAsync(
        string state, string staging, DateTimeOffset now, Action<string>? stepped = null)
    {
        var swap = new RestoreSwap(state) { Stepped = stepped ?? (_ => { }) };
        Complete(staging);
        await ToDiskAsync(state).ConfigureAwait(false);
        swap.Stepped("unpacked");
        var aside = swap.FreeName($"state.before-restore-{now:yyyyMMdd'T'HHmmss'Z'}");
        var journal = new RestoreJournal(Path.GetFileName(staging), aside);
        var file = Path.Combine(state, JournalName);
        await File.WriteAllTextAsync(
            file + ".new", JsonSerializer.Serialize(journal, RestoreJson.Default.RestoreJournal)).ConfigureAwait(false);
        await ToDiskAsync(state).ConfigureAwait(false);
        swap.Stepped("journal written");
        File.Move(file + ".new", file, overwrite: true);
        await ToDiskAsync(state).ConfigureAwait(false);
        swap.Stepped("journal in place");
        return await swap.CarryOutAsync(journal).ConfigureAwait(false);
    }

    private async Task<string> CarryOutAsync(RestoreJournal journal)
    {
        var staging = Path.Combine(_state, journal.Staging);
        var aside = Path.Combine(_state, journal.Aside);
        Directory.CreateDirectory(aside, OwnerDirectory);
        // As long as the new database is not in its place, all that is there is old.
        if (File.Exists(Path.Combine(staging, BackupPaths.Database)))
        {
            foreach (var item in s_items)
            {
                var fresh = Path.Combine(staging, item);
                // What has come into its place already is not set aside; a log has no successor.
                if (Path.Exists(fresh) || s_logs.Contains(item))
                    Swap(Path.Combine(_state, item), Path.Combine(aside, item), fresh, item);
            }
        }
        SwapImages(journal);
        await ToDiskAsync(_state).ConfigureAwait(false);
        Stepped("swapped");
        File.Delete(Path.Combine(_state, JournalName));
        await ToDiskAsync(_state).ConfigureAwait(false);
        Stepped("journal gone");
        if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
        return aside;
    }

    /// <summary>On the images' own disk, which may be another one than the state's.</summary>
    private void SwapImages(RestoreJournal journal)
    {
        var fresh = ImagesStaging(_state, journal.Staging);
        if (!Directory.Exists(fresh)) return;
        var images = Path.Combine(_state, BackupPaths.Images);
        foreach (var name in Directory.EnumerateDirectories(fresh).Select(d => Path.GetFileName(d)!).Order())
        {
            Swap(Path.Combine(images, name), Path.Combine(images, "." + journal.Aside, name), Path.Combine(fresh, name),
                $"image {name}");
        }
        Directory.Delete(fresh);
    }

    /// <summary>
    /// The old item aside, the new one into its place: two renames, of which each is skipped if done.
    /// </summary>
    private void Swap(string place, string old, string fresh, string name)
    {
        if (Path.Exists(place) && !Path.Exists(old))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(old)!, OwnerDirectory);
            Move(place, old);
            Stepped($"{name} aside");
        }
        if (!Path.Exists(fresh)) return;
        Move(fresh, place);
        Stepped($"{name} in place");
    }

    private static void Move(string from, string to)
    {
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to);
    }

    private RestoreJournal? Read()
    {
        var file = Path.Combine(_state, JournalName);
        File.Delete(file + ".new");
        if (!File.Exists(file)) return null;
        try
        {
            var journal = JsonSerializer.Deserialize(File.ReadAllText(file), RestoreJson.Default.RestoreJournal);
            if (journal is not null && Path.GetFileName(journal.Staging) == journal.Staging
                && Path.GetFileName(journal.Aside) == journal.Aside)
                return journal;
        }
        catch (JsonException)
        {
            // As below.
        }
        throw new BackupException($"{file} makes no sense: it was altered. The parts of both states lie in {_state}, "
            + $"in '{StagingPrefix}…' and 'state.before-restore-…'; put them together by hand and remove it");
    }

    private string FreeName(string name)
    {
        var free = name;
        for (var i = 2; Path.Exists(Path.Combine(_state, free)); i++) free = $"{name}-{i}";
        return free;
    }

    /// <summary>Renames keep their order on the disk only where it is asked for.</summary>
    private static async Task ToDiskAsync(string directory)
    {
        var synced = await ChildProcess.RunAsync("sync", ["-f", directory], timeout: TimeSpan.FromMinutes(10))
            .ConfigureAwait(false);
        if (!synced.Succeeded) throw new IOException($"{directory} cannot be brought to the disk: {synced.Complaint}");
    }
}

/// <summary>Both are names in the state directory.</summary>
internal sealed record RestoreJournal(string Staging, string Aside);

[JsonSerializable(typeof(RestoreJournal))]
internal sealed partial class RestoreJson : JsonSerializerContext;
