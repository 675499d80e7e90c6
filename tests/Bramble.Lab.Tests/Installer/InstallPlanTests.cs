using System.Formats.Tar;
using System.Text;
using Bramble.Contracts.Installer;
using Bramble.Lab.Installer;

namespace Bramble.Lab.Tests.Installer;

public sealed class InstallPlanTests
{
    private static readonly string Digest = new('a', 64);

    private static string Plan => $"""
        plan 1
        action install
        job 17-2
        disk /dev/mmcblk0
        disk-size 1000
        chunk-bytes 512
        chunk-count 2
        patch 0 0 512 {Digest}
        root-partition 2
        overlay 10 {Digest}
        """;

    [Fact]
    public void A_plan_is_read()
    {
        var plan = Read(Plan);

        Assert.Equal(("17-2", false, "/dev/mmcblk0", 1000), (plan.Job, plan.Resume, plan.Disk, plan.DiskSize));
        Assert.Null(plan.DiskSerial);
        Assert.Equal(512, Assert.Single(plan.Patches).Length);
        var chunks = plan.ReadChunks($"0 512 zero\n1 100 {Digest}\n");
        Assert.Equal((512L, 100, Digest), (chunks[1].Offset, chunks[1].Length, chunks[1].Digest!.Hex));
        Assert.Null(chunks[0].Digest);
    }

    [Theory]
    [InlineData("job")]
    [InlineData("disk")]
    [InlineData("disk-size")]
    [InlineData("chunk-count")]
    [InlineData("root-partition")]
    [InlineData("overlay")]
    public void A_plan_without_what_it_needs_is_refused(string key)
    {
        var lines = Plan.Split('\n').Where(line => !line.StartsWith(key + " ", StringComparison.Ordinal));

        Assert.Throws<FormatException>(() => Read(string.Join('\n', lines)));
    }

    [Theory]
    [InlineData("0 512 zero\n")]
    [InlineData("0 512 zero\n2 512 zero\n")]
    [InlineData("0 513 zero\n1 512 zero\n")]
    [InlineData("0 512 zero\n1 512 nought\n")]
    [InlineData("0 512 zero\n1 -1 zero\n")]
    public void A_chunk_list_that_does_not_fit_the_plan_is_refused(string list) =>
        Assert.Throws<FormatException>(() => Read(Plan).ReadChunks(list));

    [Fact]
    public void A_credential_that_others_can_read_is_refused()
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "./etc/bramble/credential")
            {
                Mode = (UnixFileMode)0b110_100_100,
                DataStream = new MemoryStream(Encoding.ASCII.GetBytes("secret\n")),
            });
        }
        tar.Position = 0;

        var fault = Assert.Throws<InvalidDataException>(() => OverlayTar.Read(tar));

        Assert.Equal("etc/bramble/credential can be read by others than root", fault.Message);
    }

    private static InstallPlan Read(string text)
    {
        Assert.True(InstallerMessage.TryRead(Encoding.UTF8.GetBytes(text), out var message, out _));
        return InstallPlan.Read(message);
    }
}
