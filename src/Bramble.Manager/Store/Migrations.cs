using System.Data;
using System.Globalization;
using System.Reflection;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <summary>Applies the numbered SQL files of Store/Migrations in order, each in a transaction, each once.</summary>
internal static class Migrations
{
    private const string Marker = ".Migrations.";

    /// <param name="upTo">The version to stop at; null for the newest.</param>
    public static void Apply(SqliteConnection connection, int? upTo = null)
    {
        connection.Execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)");
        var current = connection.ExecuteScalar<int?>("SELECT MAX(version) FROM schema_version") ?? 0;
        var migrations = All();
        if (Math.Max(current, upTo ?? 0) is var wanted && wanted > migrations[^1].Version)
        {
            throw new StoreException(
                $"the store {connection.DataSource} has schema {wanted}, this brambled knows "
                + $"{migrations[^1].Version}: it was written by a newer version; install that one",
                new NotSupportedException());
        }
        foreach (var (version, sql) in migrations.Where(
            m => m.Version > current && m.Version <= (upTo ?? int.MaxValue)))
        {
            using var transaction = connection.BeginTransaction();
            connection.Execute(sql, transaction: transaction);
            connection.Execute("INSERT INTO schema_version (version) VALUES (@version)", new { version }, transaction);
            transaction.Commit();
        }
    }

    /// <summary>The schema that this program brings a store to.</summary>
    public static int Newest => All()[^1].Version;

    private static List<(int Version, string Sql)> All()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var migrations = new List<(int, string)>();
        var names = assembly.GetManifestResourceNames().Where(n => n.Contains(Marker, StringComparison.Ordinal));
        foreach (var name in names)
        {
            var file = name[(name.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)..];
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            migrations.Add((int.Parse(file[..3], CultureInfo.InvariantCulture), reader.ReadToEnd()));
        }
        return [.. migrations.OrderBy(m => m.Item1)];
    }
}
