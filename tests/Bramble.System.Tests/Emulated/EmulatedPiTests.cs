using System.Text.RegularExpressions;
using Bramble.Contracts.Nodes;
using Bramble.System.Tests.Rack;

namespace Bramble.System.Tests.Emulated;

/// <summary>
/// A real kernel and a real Debian on an emulated Raspberry Pi 3B: what simulated boards only act is done for real by
/// our initramfs, busybox, ext4, systemd and OpenSSH.
/// </summary>
[Collection(nameof(Emulation))]
public sealed partial class EmulatedPiTests
{
    [Fact]
    public async Task An_emulated_Pi_is_installed_and_installed_anew_and_answers_on_SSH_with_the_key_known_before()
    {
        if (PreparedState.Unavailable is { } why) Assert.Skip(why);
        var prepared = await PreparedState.DebianAsync();
        var directory = Directory.CreateTempSubdirectory("bramble-emulated-").FullName;
        try
        {
            await Programs.RunAsync(
                "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(directory, "key"));
            var key = (await File.ReadAllTextAsync(
                Path.Combine(directory, "key.pub"), TestContext.Current.CancellationToken)).Trim();
            await using var rack = await VirtualRack.StartAsync(0, ["--qemu", "1", "--qemu-dir", directory],
                $$"""install: {image: demo, ssh_authorized_keys: ["{{key}}"]}""", "5m", prepared, qemu: true);

            var node = (await rack.UntilAllRunAsync(1, seconds: 1500))[0];
            Assert.Equal(1, node.Installed?.Generation);
            var first = await SshAsync(rack, node, directory, "uname -m; cat /etc/debian_version /etc/hostname; "
                + "tr -d '\\0' </proc/device-tree/model; echo; findmnt -nbo SIZE,SOURCE /; date >/root/mark; sync");
            Assert.StartsWith("aarch64\n", first, StringComparison.Ordinal);
            Assert.Contains("Raspberry Pi 3 Model B", first, StringComparison.Ordinal);
            // Grown to fill the card: the image's own root is less than 600 MiB.
            var size = RootSize().Match(first);
            Assert.True(size.Success, first);
            Assert.InRange(long.Parse(size.Groups[1].Value, null), 1L << 30, 64L << 30);

            var asked = await rack.ActAsync("reinstall", $"{node.Number}");
            Assert.All(asked.Outcomes, outcome => Assert.True(outcome.Accepted, outcome.Message));
            await rack.UntilAsync(
                now => now is [{ Phase: NodePhase.Running, Installed.Generation: 2 }], "the second installation", 1500);
            var mark = await SshAsync(rack, node, directory, "[ -e /root/mark ] && echo there || echo gone");
            Assert.Equal("gone\n", mark);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Logs in with the host key that brambled knew before the board had a system.</summary>
    private static async Task<string> SshAsync(VirtualRack rack, NodeView node, string directory, string command)
    {
        var known = Path.Combine(directory, "known_hosts");
        await File.WriteAllTextAsync(
            known, $"{node.Address} {node.SshHostKey}\n", TestContext.Current.CancellationToken);
        return await Programs.RunAsync("/usr/sbin/ip", "netns", "exec", rack.ManagerNamespace,
            "ssh", "-i", Path.Combine(directory, "key"), "-o", $"UserKnownHostsFile={known}",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes",
            "-o", "ConnectTimeout=30", "-o", "ConnectionAttempts=5", $"root@{node.Address}", command);
    }

    [GeneratedRegex(@"^(\d+) /dev/mmcblk0p2$", RegexOptions.Multiline)]
    private static partial Regex RootSize();
}

/// <summary>An emulator takes a whole processor, so nothing else runs beside it.</summary>
[CollectionDefinition(nameof(Emulation), DisableParallelization = true)]
public static class Emulation;
