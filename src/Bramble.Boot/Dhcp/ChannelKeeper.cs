namespace Bramble.Boot.Dhcp;

/// <summary>A socket on one interface.</summary>
internal interface IInterfaceChannel : IDisposable
{
    /// <summary>Whether the interface is still the one that was opened.</summary>
    bool IsThere { get; }
}

/// <summary>
/// Keeps a channel open on an interface that may be missing, vanish and come back: it is opened again after 1 s, 2 s,
/// … 30 s.
/// </summary>
internal sealed class ChannelKeeper(TimeProvider clock, string interfaceName, Action<string, TimeSpan> failed)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan InterfaceCheck = TimeSpan.FromSeconds(5);

    /// <summary>Runs until cancelled; nothing else ends it but an error that is no IOException.</summary>
    public async Task RunAsync<T>(
        Func<T> open, Func<T, CancellationToken, Task> use, CancellationToken cancellation)
        where T : IInterfaceChannel
    {
        var retry = FirstRetry;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                using var channel = open();
                using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                // A socket bound to a deleted interface stays silent for ever: only looking tells.
                using var watch = clock.CreateTimer(_ =>
                {
                    try
                    {
                        if (!channel.IsThere) gone.Cancel();
                    }
                    catch (ObjectDisposedException)
                    {
                        // The channel was given up while we looked.
                    }
                }, null, InterfaceCheck, InterfaceCheck);
                var started = clock.GetTimestamp();
                try
                {
                    await use(channel, gone.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    throw new IOException($"interface {interfaceName} has vanished or was replaced");
                }
                finally
                {
                    if (clock.GetElapsedTime(started) > LastRetry) retry = FirstRetry;
                }
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
            {
                failed(e.Message, retry);
            }
            try
            {
                await Task.Delay(retry, clock, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
        }
    }
}
