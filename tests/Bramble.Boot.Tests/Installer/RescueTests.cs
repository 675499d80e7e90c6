using System.Formats.Tar;
using System.IO.Compression;
using Bramble.Processes;

namespace Bramble.Boot.Tests.Installer;

/// <summary>Rescue: a board that stays reachable and touches no disk.</summary>
public sealed class RescueTests
{
    [Fact]
    public async Task A_board_in_rescue_answers_on_ssh_with_the_host_key_of_its_bundle_until_the_plan_changes()
    {
        foreach (var tool in (string[])["/usr/sbin/dropbear", "/usr/bin/dropbearkey", "/usr/bin/ssh"])
            if (!File.Exists(tool)) Assert.Skip($"needs {tool} (packages dropbear-bin and openssh-client)");
        var stop = TestContext.Current.CancellationToken;
        await using var board = await Sandbox.CreateAsync();
        var work = Directory.CreateTempSubdirectory("bramble-rescue-").FullName;
        try
        {
            await Sandbox.Tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", work + "/id"]);
            var hostKey = (await Sandbox.Tool("dropbearkey", ["-t", "ed25519", "-f", work + "/host"]))
                .Split('\n').Single(line => line.StartsWith("ssh-ed25519 ", StringComparison.Ordinal));
            await File.WriteAllTextAsync(work + "/known", $"10.77.9.2 {hostKey}\n", stop);
            var key = (await File.ReadAllTextAsync(work + "/id.pub", stop)).Trim();
            var bundle = await BundleAsync(work + "/host");
            var over = false;
            await using var manager = new ScriptedManager(board.ManagerNamespace,
                $"action rescue\nretry 20\nhostkey 1\nssh-key {key}\n")
            {
                Script = call => call.Path switch
                {
                    "/installer/v1/rescue/amd64" or "/installer/v1/rescue/arm64" => new Answer(200, bundle),
                    "/installer/v1/plan" when Volatile.Read(ref over) => Answer.Text("plan 1\naction reboot\n"),
                    _ => null,
                },
            };

            board.Start(ScriptedManager.CommandLine);
            await board.SeesAsync("rescue: reachable by SSH as root on eth0");
            var ssh = await ChildProcess.RunAsync("ip",
            [
                "netns", "exec", board.ManagerNamespace, "ssh", "-i", work + "/id", "-o", "BatchMode=yes",
                "-o", "UserKnownHostsFile=" + work + "/known", "-o", "StrictHostKeyChecking=yes",
                "root@10.77.9.2", "id -u; cat /proc/cmdline",
            ], timeout: TimeSpan.FromSeconds(20), cancellation: stop);
            Volatile.Write(ref over, true);
            await board.EndAsync();

            Assert.True(ssh.Succeeded, ssh.Errors + board.Console);
            Assert.Equal($"0\n{ScriptedManager.CommandLine}\n", ssh.Output);
            Assert.Contains("rescue: the SSH server is stopped", board.Console);
            Assert.Equal(["rescue"], manager.Steps);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The host's own dropbear with its libraries, as the manager's bundle has those of the board.</summary>
    private static async Task<byte[]> BundleAsync(string hostKey)
    {
        using var stream = new MemoryStream();
        await using (var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await AddAsync("/usr/sbin/dropbear", "usr/sbin/dropbear", 0b111_101_101);
            await AddAsync(hostKey, "etc/dropbear/dropbear_ed25519_host_key", 0b110_000_000);
            var libraries = await Sandbox.Tool("ldd", ["/usr/sbin/dropbear"]);
            foreach (var word in libraries.Split((char[])[' ', '\t', '\n']))
                if (word.StartsWith('/')) await AddAsync(word, word[1..], 0b111_101_101);

            async Task AddAsync(string file, string name, int mode) => await tar.WriteEntryAsync(
                new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = new MemoryStream(await File.ReadAllBytesAsync(file)),
                    Mode = (UnixFileMode)mode,
                });
        }
        return stream.ToArray();
    }
}
