using System.Data;
using System.Threading.Channels;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <summary>The store cannot take a write now. The message says why, and that nothing was acknowledged.</summary>
public sealed class StoreException(string message, Exception inner) : Exception(message, inner);

/// <summary>
/// The embedded SQL store. All writes go through one writer, which takes everything that waits into one transaction
/// with one sync (group commit), so that a thousand boards booting at once share few syncs. A write's task completes
/// only when its transaction would survive a power cut (WAL, synchronous=FULL).
/// </summary>
public sealed partial class Database : IAsyncDisposable
{
    /// <summary>Writes that may wait; beyond it a caller is held back, not dropped.</summary>
    private const int QueueBound = 16_384;

    private const int BatchBound = 2_048;

    private readonly string _connectionString;
    private readonly ILogger<Database> _logger;
    private readonly Channel<PendingWrite> _queue = Channel.CreateBounded<PendingWrite>(
        new BoundedChannelOptions(QueueBound) { SingleReader = true });
    private readonly SqliteConnection _writer;
    private readonly Task _loop;
    private long _commits;
    private long _writes;

    private Database(string file, ILogger<Database> logger)
    {
        SystemSqlite.Use();
        File = file;
        _logger = logger;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = file, Pooling = true, DefaultTimeout = 5 }
            .ToString();
        _writer = new SqliteConnection(_connectionString);
        try
        {
            _writer.Open();
            _writer.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;");
            Migrations.Apply(_writer);
        }
        catch
        {
            _writer.Dispose();
            throw;
        }
        _loop = Task.Run(WriteLoopAsync);
    }

    public string File { get; }

    /// <summary>Transactions and writes so far: their ratio shows the group commit at work.</summary>
    public (long Commits, long Writes) Statistics => (Interlocked.Read(ref _commits), Interlocked.Read(ref _writes));

    /// <summary>Opens or creates the store, owner-readable only, and brings its tables up to date.</summary>
    /// <exception cref="StoreException">It cannot be opened, or was written by a newer Bramble.</exception>
    public static Database Open(string directory, ILogger<Database> logger)
    {
        var file = Path.Combine(directory, "bramble.db");
        try
        {
            Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (!System.IO.File.Exists(file))
            {
                var options = new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                };
                using var created = new FileStream(file, options);
            }
            return new Database(file, logger);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StoreException($"the store {file} cannot be opened: {Explain(e)}", e);
        }
    }

    /// <summary>Runs a write and completes when it is durable.</summary>
    /// <exception cref="StoreException">Nothing of this write was kept.</exception>
    public async Task WriteAsync(Action<IDbConnection> write, CancellationToken cancellation = default)
    {
        var pending = new PendingWrite(write);
        await _queue.Writer.WriteAsync(pending, cancellation).ConfigureAwait(false);
        await pending.Done.Task.ConfigureAwait(false);
    }

    /// <summary>Queues a write whose loss in a crash does no harm; a failure is logged.</summary>
    public void Post(Action<IDbConnection> write)
    {
        var pending = new PendingWrite(write);
        if (!_queue.Writer.TryWrite(pending))
        {
            LogQueueFull();
            return;
        }
        _ = pending.Done.Task.ContinueWith(
            static (task, state) => ((Database)state!).LogPostFailed(task.Exception!.InnerException!),
            this, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Reads on a connection of its own; writers do not block it.</summary>
    public async Task<T> ReadAsync<T>(Func<IDbConnection, Task<T>> read)
    {
        await using var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        return await read(connection).ConfigureAwait(false);
    }

    /// <summary>As <see cref="ReadAsync{T}"/>, for the start of the daemon.</summary>
    public T Read<T>(Func<IDbConnection, T> read)
    {
        using var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return read(connection);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WriteLoopAsync()
    {
        var batch = new List<PendingWrite>(BatchBound);
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < BatchBound && _queue.Reader.TryRead(out var pending)) batch.Add(pending);
            Commit(batch);
        }
    }

    private void Commit(List<PendingWrite> batch)
    {
        var failed = new Dictionary<PendingWrite, Exception>();
        try
        {
            // Immediate: a lock that another process holds is met here, before any write has run. By SQL, not by a
            // transaction object: SQLite ends the transaction itself when the disk is full, and the object would not
            // know of it.
            _writer.Execute("BEGIN IMMEDIATE");
            foreach (var pending in batch)
            {
                // A savepoint each, so that one write that breaks a constraint does not take the others with it.
                _writer.Execute("SAVEPOINT w");
                try
                {
                    pending.Write(_writer);
                    _writer.Execute("RELEASE w");
                }
                catch (Exception e) when (!IsStoreTrouble(e))
                {
                    _writer.Execute("ROLLBACK TO w; RELEASE w");
                    failed[pending] = e;
                }
            }
            _writer.Execute("COMMIT");
            Interlocked.Increment(ref _commits);
            Interlocked.Add(ref _writes, batch.Count);
        }
        catch (Exception e)
        {
            Abandon();
            LogCommitFailed(e, batch.Count, Explain(e));
            var failure = new StoreException($"the store {File} did not take the write: {Explain(e)}", e);
            foreach (var pending in batch) pending.Done.TrySetException(failed.GetValueOrDefault(pending) ?? failure);
            return;
        }
        foreach (var pending in batch)
        {
            if (failed.TryGetValue(pending, out var e)) pending.Done.TrySetException(e);
            else pending.Done.TrySetResult();
        }
    }

    private void Abandon()
    {
        try
        {
            if (SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle!) == 0) _writer.Execute("ROLLBACK");
        }
        catch (SqliteException e)
        {
            LogRollbackFailed(e);
        }
    }

    private static bool IsStoreTrouble(Exception e) =>
        e is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 11 or 13 or 14 or 23 or 26 };

    private static string Explain(Exception e) => e is not SqliteException sqlite ? e.Message
        : sqlite.SqliteErrorCode switch
        {
            5 or 6 => "it is locked by another process; stop whatever has bramble.db open",
            8 => "it is read-only; check the owner and mode of the file and whether its disk is mounted read-only",
            10 => "an I/O error; check the disk with dmesg",
            11 or 26 => "it is damaged; restore it from a backup",
            13 => "the disk is full; free some space",
            14 => "it cannot be opened; check that the directory exists, belongs to brambled and is not read-only",
            _ => sqlite.Message,
        };

    private sealed class PendingWrite(Action<IDbConnection> write)
    {
        public Action<IDbConnection> Write { get; } = write;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
