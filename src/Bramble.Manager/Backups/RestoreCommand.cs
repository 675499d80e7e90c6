using System.Text.Json;
using Bramble.Manager.Configuration;
using Bramble.Manager.Hosting;
using Bramble.Processes;

namespace Bramble.Manager.Backups;

/// <summary><c>brambled restore</c>: puts a backup in the place of the state of a daemon that does not run.</summary>
internal static class RestoreCommand
{
    public const string Usage = "brambled restore FILE [--config FILE | --state DIR] [--dry-run]";

    /// <summary>Exit code as of the program.</summary>
    /// <exception cref="BackupException">The archive or the state does not allow it; nothing was changed.</exception>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter errors)
    {
        string? archive = null, state = null;
        var configuration = "/etc/bramble/bramble.yaml";
        var dryRun = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--config" when i + 1 < arguments.Count:
                    configuration = arguments[++i];
                    break;
                case "--state" when i + 1 < arguments.Count:
                    state = Path.GetFullPath(arguments[++i]);
                    break;
                case "--dry-run":
                    dryRun = true;
                    break;
                case var file when archive is null && !file.StartsWith('-'):
                    archive = file;
                    break;
                default:
                    errors.WriteLine($"brambled: '{arguments[i]}' is not understood: {Usage}");
                    return 2;
            }
        }
        if (archive is null)
        {
            errors.WriteLine($"brambled: which backup? {Usage}");
            return 2;
        }
        if (!File.Exists(archive)) throw new BackupException($"there is no file {archive}");
        state ??= ConfigLoader.Load(configuration).StateDirectory;
        if (dryRun) await CheckAsync(archive, state, output).ConfigureAwait(false);
        else await RestoreAsync(archive, state, output).ConfigureAwait(false);
        return 0;
    }

    private static async Task CheckAsync(string archive, string state, TextWriter output)
    {
        var scratch = Directory.CreateTempSubdirectory("bramble-restore-");
        try
        {
            var head = await BackupReader.UnpackAsync(archive, scratch.FullName, null, CancellationToken.None)
                .ConfigureAwait(false);
            Describe(head, scratch.FullName, output);
            Missing(head, state, output);
            output.WriteLine($"dry run: all of it is sound; it would go into {state}; nothing was done");
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task RestoreAsync(string archive, string state, TextWriter output)
    {
        using var held = StateLock.Take(state);
        if (await RestoreSwap.FinishAsync(state).ConfigureAwait(false) is { } earlier)
            output.WriteLine($"a restore that was interrupted is done first; the state before that lies in {earlier}");
        var staging = Path.Combine(state, RestoreSwap.StagingPrefix + Guid.NewGuid().ToString("n"));
        var images = RestoreSwap.ImagesStaging(state, staging);
        try
        {
            Directory.CreateDirectory(staging,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var head = await BackupReader.UnpackAsync(archive, staging, images, CancellationToken.None)
                .ConfigureAwait(false);
            Describe(head, staging, output);
            DropKnownImages(images, state);
            RestoreSwap.Complete(staging);
            await GiveAsync(state, "-R", staging, images).ConfigureAwait(false);
            var aside = await RestoreSwap.RunAsync(state, staging, TimeProvider.System.GetUtcNow())
                .ConfigureAwait(false);
            await GiveAsync(state, "-h", aside, Path.Combine(state, BackupPaths.Images),
                Path.Combine(state, "brambled.lock")).ConfigureAwait(false);
            output.WriteLine($"restored into {state}; the state before lies in {aside}");
            var configuration = Path.Combine(state, RestoreSwap.RestoredConfiguration);
            if (Directory.Exists(configuration))
            {
                output.WriteLine(
                    $"its configuration lies in {configuration}: compare it with yours, which was not changed");
            }
            Missing(head, state, output);
        }
        catch (Exception) when (!RestoreSwap.IsPending(state))
        {
            foreach (var left in new[] { staging, images })
                if (Directory.Exists(left)) Directory.Delete(left, recursive: true);
            throw;
        }
    }

    private static void Describe(BackupHead head, string unpacked, TextWriter output)
    {
        var (nodes, leases, tokens) = DatabaseCheck.Count(Path.Combine(unpacked, BackupPaths.Database));
        output.WriteLine($"a backup of '{head.Cluster}', made {head.CreatedAt:u} by brambled {head.Product}: "
            + $"{nodes} nodes, {leases} leases, {tokens} tokens");
    }

    /// <summary>Images that the nodes of the backup knew, and that are not here.</summary>
    private static void Missing(BackupHead head, string state, TextWriter output)
    {
        var missing = head.Images
            .Where(image => !image.Included && DigestOf(state, image.Name) != image.Digest).ToList();
        if (missing.Count == 0) return;
        output.WriteLine("images that are not in it and not here; add them again before nodes are installed:");
        foreach (var image in missing) output.WriteLine($"  {image.Name} (SHA-256 {image.Digest})");
    }

    /// <summary>An image that is here already with the same content stays as it is.</summary>
    private static void DropKnownImages(string images, string state)
    {
        if (!Directory.Exists(images)) return;
        foreach (var image in Directory.EnumerateDirectories(images))
        {
            var digest = DigestIn(image);
            if (digest is not null && digest == DigestOf(state, Path.GetFileName(image)))
                Directory.Delete(image, recursive: true);
        }
    }

    private static string? DigestOf(string state, string image) =>
        DigestIn(Path.Combine(state, BackupPaths.Images, image));

    private static string? DigestIn(string directory)
    {
        try
        {
            using var record = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "image.json")));
            return record.RootElement.TryGetProperty("digest", out var digest) ? digest.GetString() : null;
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// What root has put there is given to whom the state belongs: brambled runs as a user of its own.
    /// </summary>
    private static async Task GiveAsync(string state, string how, params string[] paths)
    {
        if (Environment.UserName != "root") return;
        var there = paths.Where(Path.Exists).ToArray();
        if (there.Length == 0) return;
        var given = await ChildProcess.RunAsync("chown", [how, $"--reference={state}", "--", .. there],
            timeout: TimeSpan.FromMinutes(5)).ConfigureAwait(false);
        if (!given.Succeeded) throw new BackupException($"{there[0]} cannot be given to the owner of {state}: "
            + given.Complaint);
    }
}
