using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <summary>The store's file is no sound database. The message says what is wrong with it.</summary>
internal sealed class StoreDamagedException(string message) : Exception(message);

/// <summary>
/// Whether the store is sound, asked once at the start: what is damaged in the middle shows only when it is read, which
/// may be in a month.
/// </summary>
internal static class StoreCheck
{
    /// <summary>
    /// For each table, what a row must hold so that the daemon can read it: pages may be sound where octets are not.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> Rows = new Dictionary<string, string>
    {
        ["nodes"] = "typeof(id) = 'integer' AND typeof(number) = 'integer' AND length(mac) = 17 AND length(name) > 0 "
            + "AND json_valid(spec) AND json_valid(status)",
        ["leases"] = "json_valid(record)",
        ["boots"] = "json_valid(steps)",
        ["tokens"] = "length(hash) = 64 AND role IN ('Viewer', 'Operator', 'Admin')",
    };

    /// <exception cref="StoreDamagedException">What is wrong with it.</exception>
    /// <exception cref="SqliteException">It cannot be read for another reason.</exception>
    public static void Require(SqliteConnection connection, string stateDirectory)
    {
        // A key is made after the store: a store that is empty then has lost everything, and SQLite calls that sound.
        if (new FileInfo(connection.DataSource).Length == 0 && File.Exists(Path.Combine(stateDirectory, "secret.key"))
            && !HasContent(connection.DataSource + "-wal"))
            throw new StoreDamagedException("it is empty");
        try
        {
            var said = connection.Query<string>("PRAGMA integrity_check(5)").ToList();
            if (said is not ["ok"]) throw new StoreDamagedException(string.Join("; ", said).ReplaceLineEndings(" "));
            foreach (var (table, sound) in Rows)
            {
                if (connection.ExecuteScalar<int>(
                    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = @table", new { table }) == 0)
                    continue;
                var bad = connection.ExecuteScalar<long>($"SELECT COUNT(*) FROM {table} WHERE NOT ({sound})");
                if (bad > 0) throw new StoreDamagedException($"{bad} rows of '{table}' make no sense");
            }
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            throw new StoreDamagedException(e.Message);
        }
    }

    /// <summary>SQLITE_CORRUPT and SQLITE_NOTADB: never a lock, a full disk or one that cannot be read.</summary>
    public static bool IsDamage(SqliteException e) => e.SqliteErrorCode is 11 or 26;

    private static bool HasContent(string file) => new FileInfo(file) is { Exists: true, Length: > 0 };
}
