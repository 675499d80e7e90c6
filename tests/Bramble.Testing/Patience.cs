namespace Bramble.Testing;

/// <summary>
/// Bounds what a test waits for: what never comes is a failure that says so, and not a run that stands still.
/// </summary>
public static class Patience
{
    /// <summary>Far more than anything takes here, also on a machine that is busy with other things.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(5);

    /// <summary>Waits for a task.</summary>
    /// <param name="what">What is awaited, e.g. <c>the server's end</c>.</param>
    /// <param name="limit">Null for <see cref="Limit"/>.</param>
    /// <exception cref="TimeoutException">It did not come in time; the message says what.</exception>
    public static async Task WithinAsync(this Task task, string what, TimeSpan? limit = null)
    {
        var bound = limit ?? Limit;
        try
        {
            await task.WaitAsync(bound, TimeProvider.System);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw Late(what, bound);
        }
    }

    /// <inheritdoc cref="WithinAsync(Task, string, TimeSpan?)"/>
    public static async Task<T> WithinAsync<T>(this Task<T> task, string what, TimeSpan? limit = null)
    {
        await WithinAsync((Task)task, what, limit);
        return await task;
    }

    /// <summary>Looks again and again until something holds.</summary>
    /// <param name="turn">Done before each look but the first, e.g. moving a clock on.</param>
    /// <inheritdoc cref="WithinAsync(Task, string, TimeSpan?)"/>
    public static async Task UntilAsync(Func<bool> holds, string what, Action? turn = null, TimeSpan? limit = null)
    {
        var bound = limit ?? Limit;
        var started = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            if (TimeProvider.System.GetElapsedTime(started) > bound) throw Late(what, bound);
            turn?.Invoke();
            await Task.Delay(Turn, TimeProvider.System);
        }
    }

    /// <summary>Waits for a thread.</summary>
    /// <inheritdoc cref="WithinAsync(Task, string, TimeSpan?)"/>
    public static void JoinWithin(this Thread thread, string what)
    {
        if (!thread.Join(Limit)) throw Late(what, Limit);
    }

    private static TimeoutException Late(string what, TimeSpan limit) =>
        new($"{what}: did not come within {limit.TotalSeconds:0.#} s");
}
