using Bramble.Processes;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// Each node's SSH host key, made by ssh-keygen before the node is installed and kept here, so that its first log-in is
/// already trusted. Kept over reinstalls: a node stays the same host.
/// </summary>
public sealed class HostKeys(string stateDirectory) : IDisposable
{
    private readonly string _directory = Path.Combine(stateDirectory, "hostkeys");

    /// <summary>Two keys are made at a time, never two for one node.</summary>
    private readonly SemaphoreSlim[] _makers = [new(1), new(1)];

    /// <summary>The private key in OpenSSH's form and the public line (<c>ssh-ed25519 AAAA…</c>).</summary>
    public async Task<(string Private, string Public)> GetAsync(
        long nodeId, string name, CancellationToken cancellation)
    {
        var file = Path.Combine(_directory, $"{nodeId}");
        var maker = _makers[nodeId % _makers.Length];
        await maker.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!File.Exists(file)) await MakeAsync(file, name, cancellation).ConfigureAwait(false);
        }
        finally
        {
            maker.Release();
        }
        var line = await File.ReadAllTextAsync(file + ".pub", cancellation).ConfigureAwait(false);
        return (await File.ReadAllTextAsync(file, cancellation).ConfigureAwait(false), line.Trim());
    }

    public void Forget(long nodeId)
    {
        // A node that was never installed has no key; before the first install of all there is no directory either.
        if (!Directory.Exists(_directory)) return;
        File.Delete(Path.Combine(_directory, $"{nodeId}"));
        File.Delete(Path.Combine(_directory, $"{nodeId}.pub"));
    }

    public void Dispose()
    {
        foreach (var maker in _makers) maker.Dispose();
    }

    private async Task MakeAsync(string file, string name, CancellationToken cancellation)
    {
        Directory.CreateDirectory(_directory,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = file + ".new";
        File.Delete(temporary);
        File.Delete(temporary + ".pub");
        var made = await ChildProcess.RunAsync(
            "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", temporary],
            timeout: TimeSpan.FromSeconds(30), cancellation: cancellation).ConfigureAwait(false);
        if (!made.Succeeded) throw new IOException($"ssh-keygen made no host key: {made.Complaint}");
        // The public half first: a private key that is there means that both are.
        File.Move(temporary + ".pub", file + ".pub", overwrite: true);
        using (var stream = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite))
            stream.Flush(flushToDisk: true);
        File.Move(temporary, file);
    }
}
