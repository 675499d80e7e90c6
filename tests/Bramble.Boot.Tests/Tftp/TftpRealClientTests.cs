using System.ComponentModel;
using System.Globalization;
using System.Security.Cryptography;
using Bramble.Processes;

namespace Bramble.Boot.Tests.Tftp;

/// <summary>The clients that people and boards really use, on loopback.</summary>
public sealed class TftpRealClientTests
{
    private static readonly Dictionary<string, Func<string, string, string, string[]>> Clients = new()
    {
        ["tftp-hpa"] = (port, remote, local) =>
            ["tftp", "-m", "octet", "127.0.0.1", port, "-c", "get", remote, local],
        ["atftp"] = (port, remote, local) =>
            ["atftp", "--get", "--remote-file", remote, "--local-file", local, "127.0.0.1", port],
        ["atftp, 1428 octets"] = (port, remote, local) =>
            ["atftp", "--option", "blksize 1428", "--option", "tsize 0", "--option", "timeout 2",
                "--get", "--remote-file", remote, "--local-file", local, "127.0.0.1", port],
        ["atftp, window 16"] = (port, remote, local) =>
            ["atftp", "--option", "blksize 1428", "--option", "windowsize 16",
                "--get", "--remote-file", remote, "--local-file", local, "127.0.0.1", port],
        ["busybox"] = (port, remote, local) =>
            ["busybox", "tftp", "-g", "-r", remote, "-l", local, "127.0.0.1", port],
        ["busybox, 1468 octets"] = (port, remote, local) =>
            ["busybox", "tftp", "-b", "1468", "-g", "-r", remote, "-l", local, "127.0.0.1", port],
        ["curl"] = (port, remote, local) =>
            ["curl", "-sSf", "-o", local, $"tftp://127.0.0.1:{port}/{remote}"],
        ["curl, 1024 octets"] = (port, remote, local) =>
            ["curl", "-sSf", "--tftp-blksize", "1024", "-o", local, $"tftp://127.0.0.1:{port}/{remote}"],
    };

    public static TheoryData<string> Names() => [.. Clients.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_real_client_fetches_files_of_every_awkward_size(string client)
    {
        await using var tftp = await TftpFixture.StartAsync();
        foreach (var length in new[] { 0, 1, 512, 1428, 1468 * 3, 2_250_016 })
        {
            // curl takes the answer "tsize 0" for an error, against RFC 2349, so it cannot fetch an empty file.
            if (length == 0 && client.StartsWith("curl", StringComparison.Ordinal)) continue;
            var file = tftp.Put($"1045155b/file-{length}", length);
            var local = Path.Combine(tftp.Root, "fetched");
            var result = await RunAsync(client, tftp, $"1045155b/file-{length}", local);
            Assert.True(result.Succeeded, $"{client}: {result.Output} {result.Errors}");
            Assert.Equal(Hash(file), Hash(await File.ReadAllBytesAsync(local, TestContext.Current.CancellationToken)));
            File.Delete(local);
            var step = await tftp.Directory.NextStepAsync();
            Assert.True(step.Outcome == StepOutcome.Ok, step.ToString());
            TestContext.Current.TestOutputHelper?.WriteLine($"{client}: {step.What}: {step.Detail}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_real_client_is_told_that_a_file_is_not_there(string client)
    {
        await using var tftp = await TftpFixture.StartAsync();
        var result = await RunAsync(client, tftp, "nothing.bin", Path.Combine(tftp.Root, "fetched"));
        // tftp-hpa and atftp tell it in words and may exit 0; curl has an exit code for it (CURLE_TFTP_NOTFOUND).
        Assert.True(
            result.ExitCode == 68
            || (result.Output + result.Errors).Contains("not found", StringComparison.OrdinalIgnoreCase),
            $"{client}: {result}");
        Assert.Equal(StepOutcome.Probe, (await tftp.Directory.NextStepAsync()).Outcome);
    }

    [Fact]
    public async Task A_real_client_follows_the_block_numbers_past_65535()
    {
        await using var tftp = await TftpFixture.StartAsync();
        var file = tftp.Put("big", 8 * 70_000);
        var local = Path.Combine(tftp.Root, "fetched");
        var port = tftp.Door.Port.ToString(CultureInfo.InvariantCulture);
        var result = await RunAsync(
            ["curl", "-sSf", "--tftp-blksize", "8", "-o", local, $"tftp://127.0.0.1:{port}/big"]);
        Assert.True(result.Succeeded, result.Errors);
        Assert.Equal(Hash(file), Hash(await File.ReadAllBytesAsync(local, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task A_real_client_may_not_write()
    {
        await using var tftp = await TftpFixture.StartAsync();
        tftp.Put("mine", 100);
        var port = tftp.Door.Port.ToString(CultureInfo.InvariantCulture);
        var result = await RunAsync(
            ["tftp", "-m", "octet", "127.0.0.1", port, "-c", "put", Path.Combine(tftp.Root, "mine"), "theirs"]);
        Assert.Contains("read-only", result.Output + result.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(tftp.Root, "theirs")));
    }

    private static Task<ChildResult> RunAsync(string client, TftpFixture tftp, string remote, string local) =>
        RunAsync(Clients[client](tftp.Door.Port.ToString(CultureInfo.InvariantCulture), remote, local));

    private static async Task<ChildResult> RunAsync(string[] command)
    {
        try
        {
            return await ChildProcess.RunAsync(command[0], command[1..],
                timeout: TimeSpan.FromSeconds(30), cancellation: TestContext.Current.CancellationToken);
        }
        catch (Win32Exception)
        {
            Assert.Skip($"needs {command[0]} (Debian packages tftp-hpa, atftp, busybox-static, curl)");
            throw;
        }
    }

    private static string Hash(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));
}
