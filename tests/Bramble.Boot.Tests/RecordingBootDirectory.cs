using System.Threading.Channels;
using Bramble.Testing;
using Bramble.Wire;

namespace Bramble.Boot.Tests;

/// <summary>A boot directory that gives every client the same tree, and hands the steps to the test.</summary>
internal sealed class RecordingBootDirectory : IBootDirectory
{
    private readonly Channel<BootStep> _steps = Channel.CreateBounded<BootStep>(10_000);

    public Func<BootFileRequest, BootFileAnswer> Files { get; set; } = _ => BootFileAnswer.NotFound("not in the tree");

    public ChannelReader<BootStep> Steps => _steps.Reader;

    public static RecordingBootDirectory Of(IBootTree tree) => new()
    {
        Files = request => tree.TryOpen(request.Path, out var content)
            ? BootFileAnswer.Found(content)
            : BootFileAnswer.NotFound($"the tree lacks {request.Path}"),
    };

    public BoardPlan Find(BoardSighting sighting) => new(Admission.Ignore);

    public BootFileAnswer Open(BootFileRequest request) => Files(request);

    public void Record(BootStep step) => _steps.Writer.TryWrite(step);

    public Task<BootStep> NextStepAsync() =>
        Steps.ReadAsync(TestContext.Current.CancellationToken).AsTask().WithinAsync("a step on the boot timeline");

    /// <summary>The address that all clients of these tests have.</summary>
    public static readonly IPv4Address Loopback = IPv4Address.Parse("127.0.0.1");
}
