using System.Diagnostics;
using System.Globalization;
using Bramble.Processes;

namespace Bramble.BootBench;

/// <summary>A server as it is started in the servers' namespace, on a processor of its own.</summary>
internal sealed class Server : IAsyncDisposable
{
    private static readonly string s_groups = File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
        .FirstOrDefault(words => words[2] == "cgroup2")?[1]
        ?? throw new InvalidOperationException("there is no cgroup2 file system, which counts processor time here");

    private readonly Process _process;
    private readonly string _group;
    private readonly Task _reading;
    private readonly List<string> _said = [];

    private Server(string name, string group, Process process)
    {
        Name = name;
        _group = group;
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Name { get; }

    public static Server Start(
        string name, BenchNetwork network, string program, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        string[] pin = Environment.ProcessorCount > 1 ? ["taskset", "-c", "0"] : [];
        // A control group of its own counts all that it starts too, whether it waits for that or not.
        var group = Path.Combine(s_groups, $"{network.Servers}-{name}");
        Directory.CreateDirectory(group);
        return new Server(name, group, ChildProcess.Start("sh",
            ["-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", group, "ip", "netns", "exec", network.Servers, .. pin,
                program, .. arguments], environment: environment));
    }

    /// <summary>Waits until it answers, which <paramref name="answers"/> finds out.</summary>
    public async Task ReadyAsync(Func<Task<bool>> answers)
    {
        for (var i = 0; i < 150; i++)
        {
            if (_process.HasExited) throw new InvalidOperationException($"{Name} ended: {LastWords}");
            if (await answers()) return;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
        throw new InvalidOperationException($"{Name} does not answer: {LastWords}");
    }

    /// <summary>Processor seconds so far, of the process and of all that it started, ended or not.</summary>
    public double CpuSeconds() => double.Parse(
        File.ReadLines(Path.Combine(_group, "cpu.stat")).First()["usage_usec ".Length..],
        CultureInfo.InvariantCulture) / 1e6;

    /// <summary>Octets of memory that it has to itself, and its share of what it shares (PSS).</summary>
    public long Memory() => File.ReadLines(Path.Combine(_group, "cgroup.procs")).Sum(Pss);

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_group);
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    /// <summary>Ends the servers that ran in a namespace whose bench is no more.</summary>
    public static async Task SweepAsync(string space)
    {
        foreach (var group in Directory.GetDirectories(s_groups, space + "-*")) await EndAsync(group);
    }

    private static async Task EndAsync(string group)
    {
        await File.WriteAllTextAsync(Path.Combine(group, "cgroup.kill"), "1");
        // Empty only once the kernel has taken its processes away.
        for (var i = 0; i < 50 && Directory.Exists(group); i++)
        {
            try
            {
                Directory.Delete(group);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }

    private string LastWords
    {
        get
        {
            lock (_said) return string.Join(" | ", _said.TakeLast(8));
        }
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_said)
            {
                _said.Add(line);
                if (_said.Count > 100) _said.RemoveAt(0);
            }
        }
    }

    private static long Pss(string pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/smaps_rollup")
                .First(l => l.StartsWith("Pss:", StringComparison.Ordinal));
            return 1024 * long.Parse(line[4..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return 0;
        }
    }
}
