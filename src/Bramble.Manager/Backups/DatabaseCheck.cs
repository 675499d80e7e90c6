using Bramble.Manager.Store;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Backups;

/// <summary>Whether a copy of the database is sound, before it becomes the database.</summary>
internal static class DatabaseCheck
{
    /// <exception cref="BackupException">It is not.</exception>
    public static async Task RunAsync(string file, int schema)
    {
        SystemSqlite.Use();
        var source = new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        try
        {
            var connection = new SqliteConnection(source.ToString());
            await using var _ = connection.ConfigureAwait(false);
            await connection.OpenAsync().ConfigureAwait(false);
            var said = await connection.QueryFirstAsync<string>("PRAGMA integrity_check(1)").ConfigureAwait(false);
            if (said != "ok") throw new BackupException($"its database is damaged: {said}. Take an older backup");
            var version = await connection.ExecuteScalarAsync<int>("SELECT MAX(version) FROM schema_version")
                .ConfigureAwait(false);
            if (version != schema)
                throw new BackupException($"its database has schema {version}, and the backup says {schema}");
        }
        catch (SqliteException e)
        {
            throw new BackupException($"its database cannot be read: {e.Message}", e);
        }
    }

    /// <summary>How many rows a person may expect to find again.</summary>
    public static (long Nodes, long Leases, long Tokens) Count(string file)
    {
        SystemSqlite.Use();
        using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return (Of("nodes"), Of("leases"), Of("tokens"));

        long Of(string table) => connection.ExecuteScalar<long>($"SELECT COUNT(*) FROM {table}");
    }
}
