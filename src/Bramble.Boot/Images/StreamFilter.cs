using System.Diagnostics;
using System.Text;
using Bramble.Processes;

namespace Bramble.Boot.Images;

/// <summary>
/// A program that reads a stream and writes another, such as <c>xz -dc</c>. What it complains of becomes the error,
/// rather than the broken pipe that follows from it.
/// </summary>
internal sealed class StreamFilter : IAsyncDisposable
{
    private const int KeptErrors = 4096;

    private readonly string _program;
    private readonly Process _process;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _deaf;
    private readonly Task _pump;
    private readonly Task<string> _errors;

    private StreamFilter(string program, Process process, Stream? input, Action<ReadOnlyMemory<byte>>? eachBuffer,
        CancellationToken cancellation)
    {
        (_program, _process) = (program, process);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _deaf = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _errors = DrainAsync(process.StandardError, _deaf.Token);
        _pump = input is null ? Task.CompletedTask : PumpAsync(input, eachBuffer, _stop.Token);
    }

    /// <summary>What the program writes.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <param name="input">Fed to the program; null for one that reads nothing.</param>
    /// <param name="eachBuffer">Called as input goes by; what it throws ends the filter.</param>
    public static StreamFilter Start(string program, IEnumerable<string> arguments, Stream? input,
        Action<ReadOnlyMemory<byte>>? eachBuffer = null, IEnumerable<KeyValuePair<string, string>>? environment = null,
        CancellationToken cancellation = default) =>
        new(program, ImageTool.Start(program, arguments, input is not null, environment), input, eachBuffer,
            cancellation);

    /// <summary>Waits for the program after its output has been read to the end.</summary>
    /// <exception cref="ImageException">The program failed; with its last words.</exception>
    public async Task FinishAsync(string purpose)
    {
        await _process.WaitForExitAsync(_stop.Token).ConfigureAwait(false);
        _deaf.CancelAfter(ChildProcess.LastWords);
        var errors = await _errors.ConfigureAwait(false);
        if (_process.ExitCode != 0)
        {
            // If our side failed to read its source, that is the cause and the program's complaint its effect.
            if (_pump is { IsFaulted: true, Exception.InnerException: { } cause and not BrokenPipeException })
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
            var lines = errors.TrimEnd().Split('\n');
            // APT and mmdebstrap tell the cause first and then, line by line, what failed for its sake.
            var words = lines.FirstOrDefault(l => l.StartsWith("E: ", StringComparison.Ordinal)) ?? lines[^1];
            throw new ImageException($"{purpose}: {_program} says: {words.Trim()} (exit code {_process.ExitCode})");
        }
        try
        {
            await _pump.ConfigureAwait(false);
        }
        catch (BrokenPipeException)
        {
            // It had read all that it wanted.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        ChildProcess.Kill(_process);
        try
        {
            await Task.WhenAll(_pump, _errors).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whoever disposes early has a better error in hand.
        }
        _process.Dispose();
        _deaf.Dispose();
        _stop.Dispose();
    }

    private async Task PumpAsync(Stream input, Action<ReadOnlyMemory<byte>>? eachBuffer, CancellationToken cancellation)
    {
        var buffer = new byte[1 << 18];
        var to = _process.StandardInput.BaseStream;
        try
        {
            int n;
            while ((n = await input.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            {
                eachBuffer?.Invoke(buffer.AsMemory(0, n));
                try
                {
                    await to.WriteAsync(buffer.AsMemory(0, n), cancellation).ConfigureAwait(false);
                }
                catch (IOException e)
                {
                    throw new BrokenPipeException(e);
                }
            }
        }
        finally
        {
            try
            {
                to.Close();
            }
            catch (IOException)
            {
                // The program has gone; its exit code says why.
            }
        }
    }

    private static async Task<string> DrainAsync(StreamReader reader, CancellationToken cancellation)
    {
        var kept = new StringBuilder();
        var buffer = new char[1024];
        try
        {
            int n;
            while ((n = await reader.ReadAsync(buffer.AsMemory(), cancellation).ConfigureAwait(false)) > 0)
            {
                kept.Append(buffer, 0, n);
                // Its last words matter.
                if (kept.Length > KeptErrors) kept.Remove(0, kept.Length - KeptErrors);
            }
        }
        catch (OperationCanceledException)
        {
            // It has ended, or is about to be killed; what came so far is kept.
        }
        return kept.ToString();
    }

    private sealed class BrokenPipeException(IOException inner) : IOException(inner.Message, inner);
}
