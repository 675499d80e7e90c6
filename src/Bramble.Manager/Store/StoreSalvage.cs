using System.Buffers.Binary;
using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <summary>A store that was damaged, and what was saved of it.</summary>
/// <param name="Why">What was found wrong.</param>
/// <param name="Aside">Where the damaged file lies.</param>
public sealed record StoreSalvaged(string File, string Why, string Aside, IReadOnlyList<TableSaved> Tables)
{
    /// <summary>For the event log and <c>bramble status</c>.</summary>
    public string Summary =>
        $"the store {File} was damaged ({Why}) and is rebuilt from what was sound; it lies in {Aside}. "
            + string.Join(", ", Tables.Select(Describe))
            + (Tables.Any(t => t.Lost != 0) ? ". What is lost, a backup may have: 'bramble restore'" : "");

    private static string Describe(TableSaved table) => $"{table.Table}: {table.Saved} saved" + table.Lost switch
    {
        0 => "",
        null => ", some lost",
        _ => $", {table.Lost} lost",
    };
}

/// <summary>
/// Rebuilds a damaged store from what is sound. The damaged file is read in a copy, so that it can be looked into
/// later. A new one is complete and on the disk before the damaged one is set aside: a kill at any moment leaves a
/// start that does it over or carries it on.
/// </summary>
internal static class StoreSalvage
{
    private const string Rebuilt = ".rebuilt-";

    /// <summary>As much as ids are moved on where some may have been lost: none may come again.</summary>
    private const long IdGap = 10_000;

    private static readonly string[] s_parts = ["-wal", "-shm", ""];

    /// <summary>Carries on what a killed start has left between the old file and the new one.</summary>
    public static void Finish(string file)
    {
        var directory = Path.GetDirectoryName(file)!;
        foreach (var rebuilt in Directory.EnumerateFiles(directory, Path.GetFileName(file) + Rebuilt + "*"))
        {
            var stamp = rebuilt[(rebuilt.LastIndexOf(Rebuilt, StringComparison.Ordinal) + Rebuilt.Length)..];
            if (stamp.Contains('-', StringComparison.Ordinal)) continue;
            Replace(file, rebuilt, AsideOf(file, stamp));
        }
    }

    /// <exception cref="StoreException">It was written by a newer version.</exception>
    public static StoreSalvaged Run(string file, string why, DateTimeOffset now)
    {
        var stamp = Free(file, now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        var work = Path.Combine(Path.GetDirectoryName(file)!, ".salvage");
        if (Directory.Exists(work)) Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var (copy, made) = (Path.Combine(work, "damaged.db"), Path.Combine(work, "new.db"));
        foreach (var part in s_parts.Where(part => part != "-shm" && File.Exists(file + part)))
            File.Copy(file + part, copy + part);
        MendHead(copy);
        var tables = Save(copy, made, Path.GetDirectoryName(file)!);
        using (var stream = new FileStream(made, FileMode.Open, FileAccess.ReadWrite))
            stream.Flush(flushToDisk: true);
        File.SetUnixFileMode(made, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var rebuilt = file + Rebuilt + stamp;
        File.Move(made, rebuilt);
        Replace(file, rebuilt, AsideOf(file, stamp));
        Directory.Delete(work, recursive: true);
        return new StoreSalvaged(file, why, AsideOf(file, stamp), tables);
    }

    private static string AsideOf(string file, string stamp) => $"{file}.damaged-{stamp}";

    /// <summary>The log before the file that it belongs to; the new file last of all.</summary>
    private static void Replace(string file, string rebuilt, string aside)
    {
        foreach (var part in s_parts)
            if (File.Exists(file + part) && !File.Exists(aside + part)) File.Move(file + part, aside + part);
        File.Move(rebuilt, file);
    }

    private static string Free(string file, string stamp)
    {
        var free = stamp;
        for (var i = 2; File.Exists(AsideOf(file, free)); i++) free = $"{stamp}.{i}";
        return free;
    }

    private static List<TableSaved> Save(string damaged, string made, string stateDirectory)
    {
        using var from = new SqliteConnection($"Data Source={damaged};Pooling=False");
        using var to = new SqliteConnection($"Data Source={made};Pooling=False");
        to.Open();
        int? version = null;
        try
        {
            from.Open();
            // Tables whose description is hurt must not keep the others from being read.
            from.Execute("PRAGMA writable_schema=ON");
            version = from.ExecuteScalar<int?>("SELECT MAX(version) FROM schema_version");
        }
        catch (SqliteException e) when (StoreCheck.IsDamage(e) || e.SqliteErrorCode == 1)
        {
            // Read as the newest.
        }
        Migrations.Apply(to, version);
        var names = to.Query<string>(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            + "AND name <> 'schema_version' ORDER BY rootpage").ToList();
        var tables = names.ConvertAll(name => from.State == System.Data.ConnectionState.Open
            ? TableSalvage.Run(from, to, name) : new TableSaved(name, 0, null));
        if (tables.Any(t => t is { Table: "nodes" or "events" or "counters", Lost: not 0 }))
            MoveIdsOn(to, stateDirectory);
        return tables;
    }

    /// <summary>
    /// Credentials are derived from a node's id: a new node must not get that of one whose row was lost. Host keys are
    /// named by ids, and tell of nodes that no row tells of.
    /// </summary>
    private static void MoveIdsOn(SqliteConnection to, string stateDirectory)
    {
        var known = to.ExecuteScalar<long?>(
            """
            SELECT MAX(id) FROM (SELECT MAX(id) AS id FROM nodes UNION SELECT MAX(node_id) FROM events
                UNION SELECT value FROM counters WHERE name = 'node')
            """) ?? 0;
        var hostKeys = Path.Combine(stateDirectory, "hostkeys");
        if (Directory.Exists(hostKeys))
        {
            foreach (var key in Directory.EnumerateFiles(hostKeys))
            {
                if (uint.TryParse(Path.GetFileName(key), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                    known = Math.Max(known, id);
            }
        }
        to.Execute(
            """
            INSERT INTO counters (name, value) VALUES ('node', @value)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, new { value = known + IdGap });
    }

    /// <summary>
    /// The file's first 100 octets (sqlite.org/fileformat2.html, section 1.3): all that they say of one of our files is
    /// known but for its length. Without them SQLite would not look at the rest.
    /// </summary>
    private static void MendHead(string file)
    {
        const int pageSize = 4096;
        Span<byte> head = stackalloc byte[100];
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        if (stream.Length < pageSize) return;
        stream.ReadExactly(head);
        if (head[..16].SequenceEqual("SQLite format 3\0"u8) && head[16] == pageSize >> 8 && head[17] == 0) return;
        head.Clear();
        "SQLite format 3\0"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt16BigEndian(head[16..], pageSize);
        // Read and written as a database with a write-ahead log.
        (head[18], head[19]) = (2, 2);
        (head[21], head[22], head[23]) = (64, 32, 32);
        BinaryPrimitives.WriteUInt32BigEndian(head[24..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[28..], (uint)(stream.Length / pageSize));
        BinaryPrimitives.WriteUInt32BigEndian(head[40..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[44..], 4);
        BinaryPrimitives.WriteUInt32BigEndian(head[56..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(head[92..], 1);
        stream.Position = 0;
        stream.Write(head);
    }
}
