using System.Net;
using System.Net.Sockets;
using System.Text;
using Bramble.Processes;

namespace Bramble.Testing;

/// <summary>
/// Runs net-snmp's own tools and its agent, so that what we say is held against what the field speaks. Nothing of the
/// machine's configuration is read, and nothing is left behind.
/// </summary>
public sealed class NetSnmp : IDisposable
{
    private static readonly string[] Folders = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

    private readonly string _folder = Directory.CreateTempSubdirectory("bramble-snmp-").FullName;

    /// <summary>Why the tools cannot be used here; null if they can.</summary>
    public static string? ToolsMissing => Missing("snmpget", "snmp");

    /// <summary>Why the agent cannot be run here; null if it can.</summary>
    public static string? DaemonMissing => Missing("snmpd", "snmpd");

    private Dictionary<string, string> Environment => new()
    {
        ["MIBS"] = "",
        ["SNMPCONFPATH"] = _folder,
        ["SNMP_PERSISTENT_DIR"] = Path.Combine(_folder, "persistent"),
    };

    /// <summary>
    /// Runs one of the tools to its end; its values are printed bare: <c>.1.3.6.1.2.1.1.5.0 = "sw1"</c>.
    /// </summary>
    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(string tool, params string[] arguments)
    {
        var result = await ChildProcess.RunAsync(Find(tool)!, ["-On", "-Oe", "-OQ", "-Ot", .. arguments],
            environment: Environment, timeout: TimeSpan.FromSeconds(20)).ConfigureAwait(false);
        return (result.ExitCode, result.Output, result.Errors);
    }

    /// <summary>
    /// Starts snmpd on a free port of loopback with the given configuration, and waits until it listens.
    /// </summary>
    public async Task<SnmpDaemon> StartDaemonAsync(string configuration)
    {
        var file = Path.Combine(_folder, "agent.conf");
        await File.WriteAllTextAsync(file, configuration).ConfigureAwait(false);
        var said = new StringBuilder();
        // A port that was free a moment ago may be another test's by now.
        for (var tries = 0; tries < 3; tries++)
            if (await TryStartAsync(file, FreePort(), said).ConfigureAwait(false) is { } daemon) return daemon;
        throw new InvalidOperationException($"snmpd did not start: {said}");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<SnmpDaemon?> TryStartAsync(string file, int port, StringBuilder said)
    {
        var process = ChildProcess.Start(Find("snmpd")!,
            ["-f", "-Lo", "-C", "-c", file, $"udp:127.0.0.1:{port}"], environment: Environment);
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WithinAsync($"the start of snmpd, which said: {said}")
                .ConfigureAwait(false) is { } line)
            {
                said.AppendLine(line);
                if (line.StartsWith("NET-SNMP version", StringComparison.Ordinal))
                    return new SnmpDaemon(process, new IPEndPoint(IPAddress.Loopback, port));
            }
        }
        catch (TimeoutException)
        {
            ChildProcess.Kill(process);
            throw;
        }
        ChildProcess.Kill(process);
        process.Dispose();
        return null;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static string? Find(string program) =>
        Folders.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);

    private static string? Missing(string program, string package) =>
        Find(program) is null ? $"needs {program} of net-snmp (package {package})" : null;
}

/// <summary>A running snmpd.</summary>
public sealed class SnmpDaemon : IDisposable
{
    private readonly System.Diagnostics.Process _process;

    internal SnmpDaemon(System.Diagnostics.Process process, IPEndPoint endPoint)
    {
        _process = process;
        EndPoint = endPoint;
        // Its talk is read away, lest a full pipe stops it.
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
    }

    public IPEndPoint EndPoint { get; }

    public void Dispose()
    {
        ChildProcess.Kill(_process);
        if (!_process.WaitForExit(Patience.Limit)) throw new TimeoutException("snmpd did not end when it was killed");
        _process.Dispose();
    }
}
