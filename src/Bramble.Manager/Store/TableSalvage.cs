using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <param name="Lost">Null: some, nobody can say how many.</param>
public sealed record TableSaved(string Table, long Saved, long? Lost);

/// <summary>
/// Copies what can be read of one table. Rows are read by their rowid out of the table itself, never by an index: from
/// the front up to a page that cannot be read, from the back down to one, and what is between by halves.
/// </summary>
internal sealed class TableSalvage
{
    /// <summary>
    /// Reads that may fail in one table; a page holds a hundred rows, and a lost branch some thousands.
    /// </summary>
    private const int FailuresBound = 50_000;

    /// <summary>How far behind the last row it is looked for more, where the end of the table cannot be read.</summary>
    private const long Beyond = 1 << 16;

    private readonly SqliteConnection _from;
    private readonly SqliteConnection _to;
    private readonly string _table;
    private readonly string[] _columns;
    private readonly string _select;
    private readonly string _insert;
    private readonly HashSet<long> _seen = [];
    private long _saved;
    private long _refused;
    private int _failures;

    private TableSalvage(SqliteConnection from, SqliteConnection to, string table, string[] columns)
    {
        (_from, _to, _table, _columns) = (from, to, table, columns);
        var names = string.Join(", ", columns);
        var sound = StoreCheck.Rows.GetValueOrDefault(table, "1");
        _select = $"SELECT rowid, ({sound}) IS 1, {names} FROM {table} NOT INDEXED "
            + "WHERE rowid BETWEEN @first AND @last ORDER BY rowid";
        _insert = $"INSERT OR IGNORE INTO {table} ({names}) VALUES ({string.Join(", ", columns.Select(c => $"@{c}"))})";
    }

    public static TableSaved Run(SqliteConnection from, SqliteConnection to, string table)
    {
        string[] columns;
        try
        {
            var there = Columns(from, table);
            columns = [.. Columns(to, table).Where(there.Contains)];
        }
        catch (SqliteException e) when (StoreCheck.IsDamage(e) || IsMissing(e))
        {
            columns = [];
        }
        // Not even its name is left.
        if (columns.Length == 0) return new TableSaved(table, 0, null);
        var salvage = new TableSalvage(from, to, table, columns);
        using var transaction = to.BeginTransaction();
        var isWhole = salvage.ReadAll();
        transaction.Commit();
        return new TableSaved(table, salvage._saved, isWhole ? salvage._refused : salvage.Lost());
    }

    private static HashSet<string> Columns(SqliteConnection connection, string table) =>
        [.. connection.Query<string>("SELECT name FROM pragma_table_info(@table)", new { table })];

    private static bool IsMissing(SqliteException e) => e.SqliteErrorCode == 1;

    /// <summary>Whether every page of the table could be read.</summary>
    private bool ReadAll()
    {
        if (TryRead(long.MinValue, long.MaxValue, up: true, out var front)) return true;
        var isKnown = !TryRead(long.MinValue, long.MaxValue, up: false, out var back) && back is not null;
        var first = front is { } last ? last + 1 : 0;
        Halve(first, isKnown ? back!.Value - 1 : first + Beyond);
        return false;
    }

    private void Halve(long first, long last)
    {
        if (first > last || _failures >= FailuresBound) return;
        if (TryRead(first, last, up: true, out var reached)) return;
        if (reached is { } row) first = row + 1;
        if (first >= last) return;
        var middle = first + (last - first) / 2;
        Halve(first, middle);
        Halve(middle + 1, last);
    }

    /// <param name="reached">The last row that was read; null for none.</param>
    private bool TryRead(long first, long last, bool up, out long? reached)
    {
        reached = null;
        try
        {
            using var command = _from.CreateCommand();
            command.CommandText = up ? _select : _select + " DESC";
            command.Parameters.AddWithValue("@first", first);
            command.Parameters.AddWithValue("@last", last);
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                reached = reader.GetInt64(0);
                Keep(reader);
            }
            return true;
        }
        catch (SqliteException e) when (StoreCheck.IsDamage(e) || IsMissing(e))
        {
            // An error of SQL itself: a row in which json_valid meets octets that are no text.
            _failures++;
            return false;
        }
    }

    private void Keep(SqliteDataReader row)
    {
        if (!_seen.Add(row.GetInt64(0))) return;
        if (row.GetInt64(1) != 1)
        {
            _refused++;
            return;
        }
        using var command = _to.CreateCommand();
        command.CommandText = _insert;
        for (var i = 0; i < _columns.Length; i++)
            command.Parameters.AddWithValue($"@{_columns[i]}", row.GetValue(i + 2));
        try
        {
            if (command.ExecuteNonQuery() > 0) _saved++;
            else _refused++;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 19 or 20)
        {
            // A value that is none, or of another kind: the row was hurt.
            _refused++;
        }
    }

    /// <summary>An index may be sound where the table is not, and knows how many rows there were.</summary>
    private long? Lost()
    {
        try
        {
            var all = _from.ExecuteScalar<long>($"SELECT COUNT(*) FROM {_table}");
            return all > _saved ? all - _saved : null;
        }
        catch (SqliteException)
        {
            return null;
        }
    }
}
