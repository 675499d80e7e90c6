using System.Data;
using System.Threading.Channels;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Bramble.Manager.Store;

/// <summary>The store cannot take a write now. The message says why, and that nothing was acknowledged.</summary>
public sealed class StoreException(string message, Exception inner) : Exception(message, inner);

/// <summary>The store takes no writes: since when and why, in words that say what to do.</summary>
public sealed record StoreTrouble(DateTimeOffset Since, string Why);

/// <summary>
/// The embedded SQL store. All writes go through one writer, which takes everything that waits into one transaction
/// with one sync (group commit), so that a thousand boards booting at once share few syncs. A write's task completes
/// only when its transaction would survive a power cut (WAL, synchronous=FULL).
/// <para>
/// <b>Trouble.</b> While the store takes no writes (locked, full, read-only), a write that somebody waits for fails at
/// once, so that nothing is promised. Posted writes are held back, in their order, and tried again each second.
/// </para>
/// </summary>
public sealed partial class Database : IAsyncDisposable
{
    /// <summary>Writes that may wait; beyond it a caller is held back, not dropped.</summary>
    private const int QueueBound = 16_384;

    private const int BatchBound = 2_048;

    /// <summary>Posted writes that are held back while the store takes none; beyond it they are dropped.</summary>
    private const int HeldBound = 16_384;

    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_sayAgain = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _clock;
    private readonly string _connectionString;
    private readonly ILogger<Database> _logger;
    private readonly Channel<PendingWrite> _queue = Channel.CreateBounded<PendingWrite>(
        new BoundedChannelOptions(QueueBound) { SingleReader = true });
    private readonly SqliteConnection _writer;
    private readonly Task _loop;

    // The writer's own; nobody else touches them.
    private readonly Queue<PendingWrite> _held = new();
    private Task<bool>? _arrival;
    private long _refused;
    private long _dropped;
    private long _saidAt;

    private volatile StoreTrouble? _trouble;
    private long _commits;
    private long _writes;

    private Database(string file, TimeProvider clock, ILogger<Database> logger)
    {
        SystemSqlite.Use();
        File = file;
        _clock = clock;
        _logger = logger;
        _connectionString = new SqliteConnectionStringBuilder { DataSource = file, Pooling = true, DefaultTimeout = 5 }
            .ToString();
        _writer = new SqliteConnection(_connectionString);
        try
        {
            _writer.Open();
            StoreCheck.Require(_writer, Path.GetDirectoryName(file)!);
            _writer.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000;");
            Migrations.Apply(_writer);
        }
        catch
        {
            _writer.Dispose();
            SqliteConnection.ClearPool(_writer);
            throw;
        }
        _loop = Task.Run(WriteLoopAsync);
    }

    public string File { get; }

    /// <summary>Transactions and writes so far: their ratio shows the group commit at work.</summary>
    public (long Commits, long Writes) Statistics => (Interlocked.Read(ref _commits), Interlocked.Read(ref _writes));

    /// <summary>Why the store takes no writes at present; null while it does.</summary>
    public StoreTrouble? Trouble => _trouble;

    /// <summary>What was saved of a damaged store when this one was opened; null if it was sound.</summary>
    public StoreSalvaged? Salvaged { get; private init; }

    /// <summary>Opens or creates the store, owner-readable only, and brings its tables up to date.</summary>
    /// <param name="salvage">
    /// Whether a damaged one is set aside and rebuilt from what is sound. Only for whoever has the state's lock.
    /// </param>
    /// <exception cref="StoreException">It cannot be opened, or was written by a newer Bramble.</exception>
    public static Database Open(
        string directory, ILogger<Database> logger, TimeProvider? clock = null, bool salvage = false)
    {
        clock ??= TimeProvider.System;
        var file = Path.Combine(directory, "bramble.db");
        try
        {
            Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (salvage) StoreSalvage.Finish(file);
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
            try
            {
                return new Database(file, clock, logger);
            }
            catch (StoreDamagedException e) when (salvage)
            {
                LogDamaged(logger, file, e.Message);
                var salvaged = StoreSalvage.Run(file, e.Message, clock.GetUtcNow());
                LogSalvaged(logger, salvaged.Summary);
                return new Database(file, clock, logger) { Salvaged = salvaged };
            }
        }
        catch (StoreDamagedException e)
        {
            throw new StoreException($"the store {file} cannot be opened: {Damaged}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new StoreException($"the store {file} cannot be opened: {Explain(e, file)}", e);
        }
    }

    /// <summary>Runs a write and completes when it is durable.</summary>
    /// <exception cref="StoreException">Nothing of this write was kept.</exception>
    public async Task WriteAsync(Action<IDbConnection> write, CancellationToken cancellation = default)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new PendingWrite(write, done), cancellation).ConfigureAwait(false);
        await done.Task.ConfigureAwait(false);
    }

    /// <summary>
    /// Queues a write whose loss in a crash does no harm. It waits while the store is in trouble; a failure of its own
    /// is logged.
    /// </summary>
    public void Post(Action<IDbConnection> write)
    {
        if (!_queue.Writer.TryWrite(new PendingWrite(write, null))) LogQueueFull();
    }

    /// <summary>Reads on a connection of its own; writers do not block it.</summary>
    public async Task<T> ReadAsync<T>(Func<IDbConnection, Task<T>> read)
    {
        await using var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync().ConfigureAwait(false);
        return await read(connection).ConfigureAwait(false);
    }

    /// <summary>
    /// Copies the store as it is at one moment, while writers go on, to a file that is not there yet.
    /// </summary>
    /// <exception cref="StoreException">It cannot be copied whole; the copy is worth nothing.</exception>
    public Task CopyAsync(string file) => Task.Run(() =>
    {
        try
        {
            return Read(c => c.Execute("VACUUM INTO @file", new { file }));
        }
        catch (SqliteException e)
        {
            throw new StoreException($"the store {File} cannot be copied: {Explain(e, File)}", e);
        }
    });

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
        // Else what waits for its next use holds the file open, and would be given to whoever opens that name again.
        SqliteConnection.ClearPool(_writer);
    }

    private async Task WriteLoopAsync()
    {
        var batch = new List<PendingWrite>(BatchBound);
        while (await IsDueAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < BatchBound && _queue.Reader.TryRead(out var pending))
            {
                // Posted writes keep their order: the newest must be the last to be written.
                if (pending.Done is null && _held.Count > 0) Hold(pending);
                else batch.Add(pending);
            }
            if (batch.Count > 0) Commit(batch);
            // In transactions of their own, so that one of them that cannot be written stands in no promise's way.
            if (_trouble is null ? _held.Count > 0 : batch.Count == 0) CommitHeld();
        }
        if (_held.Count > 0) CommitHeld();
    }

    /// <summary>Completes when there is something to do: at once with a write, each second in trouble.</summary>
    private async Task<bool> IsDueAsync()
    {
        _arrival ??= _queue.Reader.WaitToReadAsync().AsTask();
        if (_trouble is not null)
            await Task.WhenAny(_arrival, Task.Delay(s_retry, _clock)).ConfigureAwait(false);
        if ((_trouble is not null || _held.Count > 0) && !_arrival.IsCompleted) return true;
        var isOpen = await _arrival.ConfigureAwait(false);
        _arrival = null;
        return isOpen;
    }

    private void Commit(List<PendingWrite> batch)
    {
        var (trouble, failed) = Transact(batch);
        var failure = trouble is null ? null
            : new StoreException($"the store {File} did not take the write: {Explain(trouble, File)}", trouble);
        foreach (var pending in batch)
        {
            if ((failed.GetValueOrDefault(pending) ?? failure) is not { } e) pending.Done?.TrySetResult();
            else if (pending.Done is { } done) done.TrySetException(e);
            else if (e != failure) LogPostFailed(e);
            else if (IsPassing(trouble!)) Hold(pending);
            else _dropped++;
            if (failure is not null && pending.Done is not null) _refused++;
        }
        Judge(trouble);
    }

    private void CommitHeld()
    {
        // Whatever is held, this writes: a transaction that changes nothing succeeds on a full disk.
        List<PendingWrite> batch = [new(s_probe, null), .. _held.Take(BatchBound)];
        var (trouble, failed) = Transact(batch);
        if (trouble is null)
        {
            for (var i = 1; i < batch.Count; i++) _held.Dequeue();
            foreach (var e in failed.Values) LogPostFailed(e);
        }
        else if (!IsPassing(trouble))
        {
            _dropped += _held.Count;
            _held.Clear();
        }
        Judge(trouble);
    }

    /// <summary>
    /// One transaction of all. Returns what kept it from being kept, or the writes that failed by themselves.
    /// </summary>
    private (Exception? Trouble, Dictionary<PendingWrite, Exception> Failed) Transact(List<PendingWrite> batch)
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
            return (null, failed);
        }
        catch (Exception e)
        {
            Abandon();
            return (e, failed);
        }
    }

    private void Hold(PendingWrite pending)
    {
        if (_held.Count < HeldBound) _held.Enqueue(pending);
        else _dropped++;
    }

    /// <summary>
    /// Takes down whether the store is in trouble; says so at its start, while it lasts and at its end.
    /// </summary>
    private void Judge(Exception? error)
    {
        var now = _clock.GetUtcNow();
        if (error is not null)
        {
            var why = Explain(error, File);
            if (_trouble is not { } trouble)
            {
                (_trouble, _saidAt) = (new StoreTrouble(now, why), _clock.GetTimestamp());
                LogTrouble(error, why);
            }
            else if (trouble.Why != why || _clock.GetElapsedTime(_saidAt) >= s_sayAgain)
            {
                (_trouble, _saidAt) = (trouble with { Why = why }, _clock.GetTimestamp());
                LogStillTrouble((now - trouble.Since).TotalSeconds, why, _refused, _held.Count);
            }
        }
        else if (_trouble is { } over)
        {
            _trouble = null;
            LogMended((now - over.Since).TotalSeconds, _refused, _dropped);
            (_refused, _dropped) = (0, 0);
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

    /// <summary>What may be over in a moment: locked, read-only, an I/O error, full, cannot be opened.</summary>
    private static bool IsPassing(Exception e) =>
        e is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

    private static string Explain(Exception e, string file) => e is not SqliteException sqlite ? e.Message
        // SQLite has one word for a disk that became read-only, one without room for its shared memory, a broken one.
        : Words(sqlite.SqliteErrorCode != 10 ? sqlite.SqliteErrorCode : !SystemSqlite.MayWrite(file) ? 8
            : new DriveInfo(file).AvailableFreeSpace == 0 ? 13 : 10) ?? sqlite.Message;

    private const string Damaged =
        "it is damaged; start brambled anew, which rebuilds it from what is sound, or restore it from a backup";

    private static string? Words(int code) => code switch
    {
        5 or 6 => "it is locked by another process; stop whatever has bramble.db open",
        8 => "it is read-only; check the owner and mode of the file and whether its disk is mounted read-only",
        10 => "an I/O error; check the disk with dmesg",
        11 or 26 => Damaged,
        13 => "the disk is full; free some space",
        14 => "it cannot be opened; check that the directory exists, belongs to brambled and is not read-only",
        _ => null,
    };

    private static readonly Action<IDbConnection> s_probe = static connection => connection.Execute(
        """
        INSERT INTO counters (name, value) VALUES ('store', 1)
        ON CONFLICT (name) DO UPDATE SET value = counters.value + 1
        """);

    /// <param name="write">What it does.</param>
    /// <param name="done">Who waits for it; null if it was posted.</param>
    private sealed class PendingWrite(Action<IDbConnection> write, TaskCompletionSource? done)
    {
        public Action<IDbConnection> Write { get; } = write;

        public TaskCompletionSource? Done { get; } = done;
    }
}
