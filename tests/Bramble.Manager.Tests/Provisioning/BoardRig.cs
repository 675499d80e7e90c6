using System.Net;
using System.Text;
using Bramble.Boot;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Boot.Loaders;
using Bramble.Contracts.Installer;
using Bramble.Manager.Configuration;
using Bramble.Manager.Images;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Provisioning;

/// <summary>
/// What serves boards, as the daemon puts it together, with the real HTTP door on a port of loopback.
/// </summary>
internal sealed class BoardRig : IAsyncDisposable
{
    public const string Hello = """
        boot-id kernel-1
        mac b8:27:eb:00:00:01
        arch aarch64
        kernel 6.1.0
        memory 1000
        disk mmcblk0 8000000000 sd 0 0x1 blank

        """;

    private readonly HttpClient _http = new();
    private WebApplication? _door;

    private BoardRig(Rig rig, ImageStore images)
    {
        Rig = rig;
        Images = images;
        Secret = ServerSecret.Open(rig.Options.StateDirectory);
        HostKeys = new HostKeys(rig.Options.StateDirectory);
    }

    public Rig Rig { get; }

    public ImageStore Images { get; }

    public ServerSecret Secret { get; }

    public HostKeys HostKeys { get; }

    public LeaseTable Leases { get; private set; } = null!;

    public BootDirectory Directory { get; private set; } = null!;

    public BootExplainer Explainer { get; private set; } = null!;

    public static async Task<BoardRig> StartAsync(
        TestImages images, InstallOptions? install = null, NetworkOptions? network = null)
    {
        var options = Sample.Options(install ?? new InstallOptions { Image = "debian" }, network) with { };
        options = options with
        {
            Networks = [options.Networks[0] with { Address = IPv4Prefix.Parse("127.0.0.1/8"), HttpPort = 0 }],
        };
        var board = new BoardRig(new Rig(options), await images.StoreAsync());
        await board.OpenAsync();
        return board;
    }

    /// <summary>The daemon is stopped and started again; sessions and jobs go on.</summary>
    public async Task RestartAsync()
    {
        await _door!.DisposeAsync();
        await Rig.RestartAsync();
        await OpenAsync();
    }

    public async Task<NodeSnapshot> AddNodeAsync(Func<NodeSpec, NodeSpec>? spec = null, int n = 1)
    {
        var node = await Rig.AddAsync(n, spec);
        return await Rig.SetAsync(node.Id, s => s with { BootId = 1000 });
    }

    /// <summary>Where the door of the boot network is.</summary>
    public Uri Door => new(_door!.Urls.First());

    public string Token(long node = 1, long boot = 1000) => Secret.Derive(CredentialKind.BootToken, node, boot);

    public async Task<(HttpStatusCode Status, InstallerMessage Body)> PostAsync(
        string path, string? bearer, string body)
    {
        var (status, octets) = await SendAsync(HttpMethod.Post, path, bearer, Encoding.UTF8.GetBytes(body));
        Assert.True(InstallerMessage.TryRead(octets, out var message, out var error), error);
        return (status, message);
    }

    public async Task<(HttpStatusCode Status, byte[] Body)> GetAsync(string path, string? bearer) =>
        await SendAsync(HttpMethod.Get, path, bearer, null);

    public async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(
        HttpMethod method, string path, string? bearer, byte[]? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(_door!.Urls.First() + path));
        if (bearer is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {bearer}");
        if (body is not null) request.Content = new ByteArrayContent(body);
        using var response = await _http.SendAsync(request, Scratch.Cancellation);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(Scratch.Cancellation));
    }

    /// <summary>A hello that is taken; returns the plan.</summary>
    public async Task<InstallerMessage> HelloAsync(string hello = Hello, long node = 1, long boot = 1000)
    {
        var (status, plan) = await PostAsync("/installer/v1/hello", Token(node, boot), hello);
        Assert.True(status == HttpStatusCode.OK, $"{status}: {plan}");
        return plan;
    }

    /// <summary>A progress that is taken; returns its answer.</summary>
    public async Task<string?> ProgressAsync(string session, string body)
    {
        var (status, answer) = await PostAsync("/installer/v1/progress", session, body);
        Assert.True(status == HttpStatusCode.OK, $"{status}: {answer}");
        return answer["answer"];
    }

    public async ValueTask DisposeAsync()
    {
        if (_door is not null) await _door.DisposeAsync();
        _http.Dispose();
        HostKeys.Dispose();
        await Rig.DisposeAsync();
    }

    private async Task OpenAsync()
    {
        var options = Rig.Options;
        Leases = new LeaseTable(Rig.Clock);
        var loggers = NullLoggerFactory.Instance;
        var loaders = new LoaderFiles(Images, Rig.Clock, NullLogger<LoaderFiles>.Instance);
        var files = new NodeFiles(options, Images, loaders, Secret, loggers);
        Explainer = new BootExplainer(options, files, Images);
        Directory = new BootDirectory(options, Rig.Nodes, new NodeLocator(Rig.Nodes, Leases, Rig.Clock),
            new BootObserver(Rig.Nodes, Rig.Timeline, Rig.Clock), files, loaders, Rig.Clock);
        var installer = new InstallerService(options, Rig.Nodes, Rig.Timeline, Images, Secret,
            new OverlayRenderer(options, Secret, HostKeys), Rig.Clock, NullLogger<InstallerService>.Instance);
        var reports = new NodeReports(options, Rig.Nodes, Rig.Timeline, Secret, Rig.Clock);
        _door = BootHttpHost.Build(options, services => services
            .AddSingleton<ILoggerFactory>(loggers).AddSingleton(typeof(ILogger<>), typeof(Logger<>))
            .AddSingleton<TimeProvider>(Rig.Clock).AddSingleton(installer).AddSingleton(reports)
            .AddSingleton(Images).AddSingleton<IBootDirectory>(Directory)
            .AddSingleton(new GzippedChunks(Images)).AddSingleton(new RescueBundle(Images)));
        await _door.StartAsync(Scratch.Cancellation);
    }
}
