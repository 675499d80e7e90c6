using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bramble.Processes;

namespace Bramble.Lab.Qemu;

/// <summary>How a run of the emulator ended.</summary>
internal enum EmulatorEnd
{
    /// <summary>The kernel asked for a restart.</summary>
    Restart,

    /// <summary>The kernel has powered off or halted.</summary>
    Halt,

    /// <summary>QEMU itself ended.</summary>
    Broken,
}

/// <summary>
/// Runs QEMU and reads its console. QEMU's Raspberry Pi does not end by itself at a restart: the console tells.
/// </summary>
internal static class Emulator
{
    /// <summary>Characters of an unfinished line that are looked at: a log-in prompt has no line feed.</summary>
    private const int LongestLine = 4096;

    /// <param name="log">The console goes there, one run after the other.</param>
    /// <param name="endsAtRestart">Whether QEMU ends in good order when the machine restarts (-no-reboot).</param>
    /// <exception cref="OperationCanceledException">Cut off; the emulator has been killed.</exception>
    public static async Task<EmulatorEnd> RunAsync(
        IEnumerable<string> arguments, string log, Action<string> line, bool endsAtRestart,
        CancellationToken cancellation)
    {
        await using var console = new StreamWriter(log, append: true);
        using var process = ChildProcess.Start("ip", arguments, redirectInput: true);
        // The kill must not wait for any reader: power goes at once.
        await using var kill = cancellation.Register(() => ChildProcess.Kill(process));
        try
        {
            var complaints = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var end = await ReadAsync(process, console, line);
            cancellation.ThrowIfCancellationRequested();
            if (end is { } known) return known;
            await process.WaitForExitAsync(cancellation);
            if (endsAtRestart && process.ExitCode == 0) return EmulatorEnd.Restart;
            await console.WriteLineAsync($"\nthe emulator has ended: {await complaints}");
            return EmulatorEnd.Broken;
        }
        finally
        {
            ChildProcess.Kill(process);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>One of the CPUs that this process may use, another for each board.</summary>
    public static string Cpu(int number)
    {
        using var self = Process.GetCurrentProcess();
        var allowed = (ulong)self.ProcessorAffinity;
        var cpus = Enumerable.Range(0, 64).Where(cpu => (allowed >> cpu & 1) != 0).ToArray();
        return cpus[number % cpus.Length].ToString(CultureInfo.InvariantCulture);
    }

    private static async Task<EmulatorEnd?> ReadAsync(Process process, StreamWriter console, Action<string> line)
    {
        var buffer = new char[4096];
        var rest = new StringBuilder();
        int n;
        while ((n = await process.StandardOutput.ReadAsync(buffer)) > 0)
        {
            await console.WriteAsync(buffer.AsMemory(0, n));
            await console.FlushAsync();
            for (var i = 0; i < n; i++)
            {
                if (buffer[i] is not ('\n' or '\r') && rest.Length < LongestLine)
                {
                    if (buffer[i] >= ' ') rest.Append(buffer[i]);
                    continue;
                }
                if (rest.Length == 0) continue;
                var text = rest.ToString();
                rest.Clear();
                line(text);
                if (text.Contains("reboot: Restarting system", StringComparison.Ordinal)) return EmulatorEnd.Restart;
                if (text.Contains("reboot: Power down", StringComparison.Ordinal)
                    || text.Contains("reboot: System halted", StringComparison.Ordinal))
                    return EmulatorEnd.Halt;
            }
            if (rest.ToString() is var prompt && prompt.EndsWith("login: ", StringComparison.Ordinal)) line(prompt);
        }
        return null;
    }
}
