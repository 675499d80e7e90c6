using Bramble.Boot.Tftp;
using Bramble.Wire;
using Bramble.Wire.Tftp;

namespace Bramble.Boot.Tests.Tftp;

public sealed class TftpLossTests
{
    public static TheoryData<string, int, int> Shapes()
    {
        var data = new TheoryData<string, int, int>();
        foreach (var weather in Weathers.Keys)
            foreach (var window in new[] { 1, 4, 16, 64 })
                foreach (var block in new[] { 512, 1468 })
                    data.Add(weather, window, block);
        return data;
    }

    private static readonly Dictionary<string, Weather> Weathers = new()
    {
        ["fair"] = new Weather(),
        ["loss"] = new Weather(Loss: 0.05),
        ["doubled"] = new Weather(Doubled: 0.2),
        ["reordered"] = new Weather(Late: 0.2),
        ["all"] = new Weather(Loss: 0.05, Doubled: 0.1, Late: 0.1),
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_file_arrives_whole_in_any_weather(string weather, int window, int block)
    {
        for (var seed = 1; seed <= 10; seed++)
        {
            var network = Run(Weathers[weather], window, block, seed, 150_000);
            Assert.Equal(StepOutcome.Ok, network.End!.Outcome);
        }
    }

    [Fact]
    public void When_every_packet_is_doubled_no_block_is_sent_twice()
    {
        foreach (var window in new[] { 1, 8 })
        {
            var network = Run(new Weather(Doubled: 1), window, 512, seed: 1, length: 300_000);
            Assert.Equal(300_000 / 512 + 1, network.DataSent);
        }
    }

    [Fact]
    public void A_link_that_loses_a_third_of_all_packets_still_boots_a_board()
    {
        var network = Run(new Weather(Loss: 0.33), 1, 1468, seed: 7, length: 40_000);
        Assert.Equal(StepOutcome.Ok, network.End!.Outcome);
    }

    [Fact]
    public void A_slow_link_is_not_flooded_with_repetitions()
    {
        // 700 ms each way: more than the least wait, and after the first round trip no block is sent early.
        var network = Run(new Weather { Trip = TimeSpan.FromMilliseconds(350) }, 4, 1468, seed: 1, length: 300_000);
        Assert.Equal(300_000 / 1468 + 1, network.DataSent);
    }

    private static LossyNetwork Run(Weather weather, int window, int block, int seed, int length)
    {
        var limits = new TftpOptions { Address = IPv4Address.Any, Timing = new TftpTiming { MaxRetries = 12 } };
        var file = new byte[length];
        new Random(seed).NextBytes(file);
        List<TftpOption> options = [new("windowsize", window), new("blksize", block)];
        Assert.True(TftpTerms.TryAgree(options, length, limits, out var terms, out _));
        var network = new LossyNetwork(terms, weather, seed);
        network.Run(file);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seed {seed}: {network.DataSent} DATA for {terms.LastBlock} blocks in {network.Elapsed}, {network.End}");
        if (network.End!.Outcome == StepOutcome.Ok) Assert.Equal(file, network.Received);
        return network;
    }
}
