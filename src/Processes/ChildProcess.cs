using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Bramble.Processes;

/// <summary>
/// How a child process ended, and what it printed (each stream cut at <see cref="ChildProcess.OutputLimit"/>).
/// </summary>
internal sealed record ChildResult(int ExitCode, string Output, string Errors)
{
    public bool Succeeded => ExitCode == 0;

    /// <summary>The last line worth showing to a person: of stderr, else of stdout.</summary>
    public string Complaint =>
        (Errors.TrimEnd().Split('\n') is [.., var e] && e.Length > 0 ? e
            : Output.TrimEnd().Split('\n') is [.., var o] ? o : "").Trim();
}

/// <summary>
/// The one place that starts programs. Arguments are always a list, never a shell line; a cancelled or timed-out
/// child is killed with its whole process tree; what it prints is bounded; its input is never ours.
/// </summary>
internal static class ChildProcess
{
    /// <summary>Characters kept of each output stream; the rest is read and dropped.</summary>
    public const int OutputLimit = 1 << 20;

    /// <summary>
    /// How long the streams of a program that has ended are still read. All that it printed is in them by then, but a
    /// daemon that it left behind (a shared SSH connection, an agent) holds them open for as long as it lives.
    /// </summary>
    public static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    /// <summary>Runs a program to its end and returns its exit code and output.</summary>
    /// <exception cref="Win32Exception">The program is not there or cannot be executed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled or timed out; the child has been killed.</exception>
    public static async Task<ChildResult> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, string? workingDirectory = null,
        IReadOnlyDictionary<string, string>? environment = null, TimeSpan? timeout = null,
        CancellationToken cancellation = default)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (timeout is { } t) bound.CancelAfter(t);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(bound.Token);
        using var process = Start(program, arguments, input is not null, workingDirectory, environment);
        try
        {
            var output = DrainAsync(process.StandardOutput, reading.Token);
            var errors = DrainAsync(process.StandardError, reading.Token);
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), bound.Token).ConfigureAwait(false);
                process.StandardInput.Close();
            }
            await process.WaitForExitAsync(bound.Token).ConfigureAwait(false);
            reading.CancelAfter(LastWords);
            return new ChildResult(process.ExitCode, await output.ConfigureAwait(false),
                await errors.ConfigureAwait(false));
        }
        catch
        {
            Kill(process);
            throw;
        }
    }

    /// <summary>Starts a program whose streams the caller reads. The caller disposes it.</summary>
    /// <param name="redirectInput">The caller writes its input; else it has none.</param>
    public static Process Start(
        string program, IEnumerable<string> arguments, bool redirectInput = false, string? workingDirectory = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // One that asks something would else wait for an answer from our own terminal or pipe.
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = workingDirectory ?? "",
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (environment is not null)
            foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = new Process { StartInfo = start };
#pragma warning disable RS0030 // this is the wrapper that the ban points to
        process.Start();
#pragma warning restore RS0030
        if (!redirectInput) process.StandardInput.Close();
        return process;
    }

    /// <summary>Kills the child and all that it started; one that has already ended is no error.</summary>
    public static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It, or one of its children, ended between the look and the kill, or has become another user's.
        }
    }

    private static async Task<string> DrainAsync(StreamReader reader, CancellationToken cancellation)
    {
        var kept = new StringBuilder();
        var buffer = new char[4096];
        try
        {
            int n;
            while ((n = await reader.ReadAsync(buffer.AsMemory(), cancellation).ConfigureAwait(false)) > 0)
                kept.Append(buffer, 0, Math.Min(n, OutputLimit - kept.Length));
        }
        catch (OperationCanceledException)
        {
            // Whoever cancelled knows why; what came so far is kept.
        }
        return kept.ToString();
    }
}
