using Bramble.Lab.Boards;
using Bramble.Lab.Tests.StandIn;

namespace Bramble.Lab.Tests.Boards;

public sealed class BoardTests
{
    [Theory]
    [InlineData("3b")]
    [InlineData("3b+")]
    [InlineData("4-old")]
    [InlineData("4")]
    [InlineData("5")]
    public async Task From_power_to_running(string word)
    {
        Assert.True(BoardTraits.TryParse(word, out var model));
        using var bench = new BoardBench(model);

        bench.Board.PowerOn();
        var state = await bench.ReachesAsync(BoardStage.Running);

        Assert.Equal(
        [
            BoardStage.Rom, BoardStage.Dhcp, BoardStage.Tftp, BoardStage.Kernel, BoardStage.Address, BoardStage.Clock,
            BoardStage.Hello, BoardStage.Check, BoardStage.Write, BoardStage.Verify, BoardStage.Patch,
            BoardStage.Overlay, BoardStage.Grow, BoardStage.Done, BoardStage.Booting, BoardStage.Running,
        ], bench.Stages);
        Assert.Equal((1, 1, 1, 1), (state.PowerCycles, state.Boots, state.Installs, state.Reports));
        Assert.Equal($"credential-{bench.Spec.Mac.ToString('-')}", bench.Disk.Root!.Credential);
        Assert.Equal(["ssh-ed25519 AAAA host"], bench.Disk.Root.HostKeys);
    }
}
