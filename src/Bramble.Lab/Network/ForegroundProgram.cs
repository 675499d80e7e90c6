using Bramble.Processes;

namespace Bramble.Lab.Network;

/// <summary>A real server in one of the lab's namespaces.</summary>
internal static class ForegroundProgram
{
    /// <summary>Runs it until cancelled.</summary>
    /// <param name="package">What to install if it is not here.</param>
    /// <param name="said">Told each line of its log.</param>
    /// <exception cref="IOException">It is not here, or has ended by itself.</exception>
    public static async Task RunAsync(
        string space, string program, string package, string[] arguments, Action<string> said,
        CancellationToken cancellation)
    {
        if (!File.Exists(program)) throw new IOException($"there is no {program}: install the package {package}");
        using var process = ChildProcess.Start("ip", ["netns", "exec", space, program, .. arguments]);
        await using var kill = cancellation.Register(() => ChildProcess.Kill(process));
        process.OutputDataReceived += (_, line) => Heard(line.Data);
        process.ErrorDataReceived += (_, line) => Heard(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync(CancellationToken.None);
        if (!cancellation.IsCancellationRequested)
            throw new IOException($"{program} has ended with exit code {process.ExitCode}");

        void Heard(string? line)
        {
            if (line is not null) said(line);
        }
    }
}
