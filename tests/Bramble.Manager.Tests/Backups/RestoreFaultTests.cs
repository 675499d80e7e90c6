using System.Formats.Tar;
using Bramble.Manager.Backups;

namespace Bramble.Manager.Tests.Backups;

/// <summary>
/// An archive that is not what it should be changes nothing; a restore that is killed leaves one state or the other.
/// </summary>
public sealed class RestoreFaultTests
{
    public static TheoryData<string, string> Alterations() => new()
    {
        { "../escaped", "which is no part of a backup" },
        { "/etc/passwd", "which is no part of a backup" },
        { "hostkeys/../../escaped", "which is no part of a backup" },
        { "config/../../escaped", "which is no part of a backup" },
        { "config//escaped", "which is no part of a backup" },
        { "images/demo/../../../escaped", "which is no part of a backup" },
        { "images/.cache/x", "which is no part of a backup" },
        { "images/demo/evil", "which is no part of a backup" },
        { "hostkeys/authorized_keys", "which is no part of a backup" },
        { "brambled.lock", "which is no part of a backup" },
        { "secret.key", "it holds 'secret.key' twice" },
        { "hostkeys/7", "which its manifest does not list" },
    };

    [Theory]
    [MemberData(nameof(Alterations))]
    public async Task An_entry_that_does_not_belong_is_refused_wherever_it_leads(string name, string says)
    {
        await using var rig = new BackupRig();
        await rig.MakeAsync();
        var entries = rig.Entries();
        entries.Insert(entries.Count - 1, new BackupRig.Entry(name, "gotcha"));
        await RefusedAsync(rig, rig.Pack(entries), says);
        Assert.Empty(Directory.EnumerateFiles(rig.Rig.Scratch.Root, "escaped*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Directory)]
    [InlineData(TarEntryType.Fifo)]
    public async Task What_is_no_plain_file_is_refused(TarEntryType type)
    {
        await using var rig = new BackupRig();
        await rig.MakeAsync();
        var entries = rig.Entries();
        entries.Insert(1, new BackupRig.Entry("config/x", [], type));
        await RefusedAsync(rig, rig.Pack(entries), "");
    }

    [Fact]
    public async Task What_is_newer_is_refused_and_named()
    {
        await using var rig = new BackupRig();
        await rig.MakeAsync();
        foreach (var (from, to, says) in new[]
        {
            ("\"product\": \"", "\"product\": \"9", "install that version first"),
            ("\"format\": 1", "\"format\": 2", "install that version first"),
            ("\"schema\": ", "\"schema\": 9", "its database has schema 9"),
        })
        {
            var altered = Alter(rig, BackupHead.Name, text => text.Replace(from, to, StringComparison.Ordinal));
            await RefusedAsync(rig, rig.PackAgreeing(altered), says);
        }
    }

    [Fact]
    public async Task What_is_missing_or_altered_is_refused_and_named()
    {
        await using var rig = new BackupRig();
        await rig.Rig.AddAsync(1);
        await rig.MakeAsync();
        var entries = rig.Entries();
        var database = entries.Single(e => e.Name == "bramble.db");
        await RefusedAsync(rig, rig.Pack(entries.Where(e => e.Name != "hostkeys/1")), "its 'hostkeys/1' is missing");
        await RefusedAsync(rig, rig.Pack(Alter(rig, "hostkeys/1", text => text.ToUpperInvariant())),
            "its 'hostkeys/1' is not what its manifest says");
        await RefusedAsync(rig, rig.Pack(entries.SkipLast(1)), "it ends before its manifest");
        await RefusedAsync(rig, rig.Pack(entries.Skip(1)), "it does not begin with bramble-backup.json");
        await RefusedAsync(rig, rig.Pack([]), "");
        await RefusedAsync(rig, rig.PackAgreeing(entries.Where(e => e.Name != "secret.key")), "it holds no secret.key");
        // Its digest is right: it was damaged before it was saved.
        var rotten = database.Content.ToArray();
        Array.Fill(rotten, (byte)0x5a, 4096, 4096 * 3);
        await RefusedAsync(rig, rig.PackAgreeing(entries.Select(e => e == database ? e with { Content = rotten } : e)),
            "its database");
        await RefusedAsync(rig, rig.PackAgreeing(
            entries.Select(e => e == database ? new BackupRig.Entry("bramble.db", "no database") : e)), "its database");
        await RefusedAsync(rig, rig.Rig.Scratch.Write("text", "this is no archive at all"),
            "cannot be read as a backup");
    }

    [Fact]
    public async Task An_archive_that_was_cut_or_rotted_anywhere_is_refused()
    {
        await using var rig = new BackupRig();
        await rig.MakeAsync();
        var whole = await File.ReadAllBytesAsync(rig.Archive, Scratch.Cancellation);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var path = rig.Rig.Scratch["hurt.tar.gz"];
        for (var round = 0; round < 60; round++)
        {
            var hurt = round % 2 == 0 ? whole[..random.Next(whole.Length - 9)] : [.. whole];
            // Not the gzip head's time and kind of system, nor its trailer, which mean nothing to what is inside.
            if (round % 2 == 1) hurt[random.Next(10, whole.Length - 9)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(path, hurt, Scratch.Cancellation);
            try
            {
                var into = rig.Rig.Scratch[$"into-{round}"];
                await BackupRig.RestoreAsync(path, into);
                // A flipped bit may lie where a tar has none of its own content: then all the digests still hold.
                Assert.True(round % 2 == 1, $"seed {seed}, round {round}: cut short and taken");
                Assert.True(File.Exists(Path.Combine(into, "bramble.db")));
            }
            catch (BackupException e)
            {
                Assert.Contains(path, $"{path} {e.Message}", StringComparison.Ordinal);
            }
        }
    }

    /// <summary>The kill comes after each step in turn, and again after each step of the one that carries on.</summary>
    [Fact]
    public async Task Killed_after_any_step_it_leaves_the_old_state_or_the_new_one()
    {
        await using var rig = new BackupRig();
        await rig.Rig.AddAsync(1);
        var token = await rig.TokenAsync();
        await rig.MakeAsync();
        await rig.Rig.AddAsync(2);
        await rig.Rig.Database.DisposeAsync();
        var template = rig.Rig.Scratch["template"];
        await Scratch.RunAsync("cp", ["-a", rig.State, template]);
        // What a killed daemon leaves behind; with a new database it would be read as that one's.
        await File.WriteAllTextAsync(Path.Combine(template, "bramble.db-wal"), "", Scratch.Cancellation);
        var (steps, outcomes) = (0, new HashSet<string>());
        for (var first = 1; first <= 60; first++)
        {
            var ended = true;
            for (var second = 0; second <= 14; second++)
            {
                var state = rig.Rig.Scratch["killed"];
                if (Directory.Exists(state)) Directory.Delete(state, recursive: true);
                await Scratch.RunAsync("cp", ["-a", template, state]);
                var staging = Path.Combine(state, ".restore-test");
                Directory.CreateDirectory(staging);
                await BackupReader.UnpackAsync(rig.Archive, staging, null, Scratch.Cancellation);
                var inPlace = false;
                var wasKilled = await KilledAsync(first, step => RestoreSwap.RunAsync(
                    state, staging, Sample.Start, name =>
                    {
                        inPlace |= name == "journal in place";
                        step();
                    }));
                if (!wasKilled) break;
                ended = false;
                steps = first;
                var again = second > 0 && await KilledAsync(
                    second, step => RestoreSwap.FinishAsync(state, _ => step()));
                await RestoreSwap.FinishAsync(state);
                var (nodes, holds) = await BackupRig.LookAsync(state, token);
                Assert.Equal((inPlace ? "node-01" : "node-01 node-02", true), (nodes, holds));
                Assert.False(RestoreSwap.IsPending(state));
                Assert.Empty(Directory.EnumerateDirectories(state, ".restore-*"));
                Assert.Equal(inPlace ? 1 : 0, Directory.EnumerateDirectories(state, "state.before-restore-*").Count());
                Assert.True(File.Exists(Path.Combine(state, "secret.key")));
                outcomes.Add(nodes);
                if (second > 0 && !again) break;
            }
            if (ended) break;
        }
        Assert.True(steps > 10, $"only {steps} steps");
        Assert.Equal(2, outcomes.Count);
    }

    /// <summary>Whether it was stopped after so many steps, rather than coming to its end.</summary>
    private static async Task<bool> KilledAsync(int after, Func<Action, Task> run)
    {
        var left = after;
        try
        {
            await run(() =>
            {
                if (--left == 0) throw new KilledException();
            });
            return false;
        }
        catch (KilledException)
        {
            return true;
        }
    }

    private static async Task RefusedAsync(BackupRig rig, string archive, string says)
    {
        var before = Directory.EnumerateFileSystemEntries(rig.State).Where(f => !f.EndsWith(".lock")).Order().ToList();
        var e = await Assert.ThrowsAsync<BackupException>(() => BackupRig.RestoreAsync(archive, rig.State));
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.Equal(before,
            Directory.EnumerateFileSystemEntries(rig.State).Where(f => !f.EndsWith(".lock")).Order());
        Assert.Contains(says, (await Assert.ThrowsAsync<BackupException>(
            () => BackupRig.RestoreAsync(archive, rig.State, "--dry-run"))).Message, StringComparison.Ordinal);
    }

    private static List<BackupRig.Entry> Alter(BackupRig rig, string name, Func<string, string> change) =>
        [.. rig.Entries().Select(e => e.Name != name ? e
            : new BackupRig.Entry(name, change(global::System.Text.Encoding.UTF8.GetString(e.Content))))];

    private sealed class KilledException : Exception;
}
