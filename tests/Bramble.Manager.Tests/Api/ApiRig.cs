using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bramble.Boot.Dhcp;
using Bramble.Boot.Images;
using Bramble.Boot.Initramfs;
using Bramble.Boot.Loaders;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Backups;
using Bramble.Manager.Configuration;
using Bramble.Manager.Dhcp;
using Bramble.Manager.Images;
using Bramble.Manager.Leases;
using Bramble.Manager.Nodes;
using Bramble.Manager.Provisioning;
using Bramble.Manager.Security;
using Bramble.Manager.Tests.Power;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bramble.Manager.Tests.Api;

/// <summary>The real API over a Unix socket, with a token of each role.</summary>
internal sealed class ApiRig : IAsyncDisposable
{
    private readonly InitramfsBuilder _builder;
    private readonly ImageStore _ownImages;
    private readonly HostKeys _hostKeys;
    private readonly HttpClient _http;

    private ApiRig(ImageStore? images, BrambleOptions? options)
    {
        PowerRig = new PowerRig(options);
        var rig = PowerRig.Rig;
        var socket = rig.Scratch["run/api.sock"];
        rig.Options = rig.Options with { Api = new ApiOptions { Listen = [$"unix:{socket}"] } };
        _ownImages = new ImageStore(rig.Scratch["images"], rig.Clock, NullLogger<ImageStore>.Instance);
        Images = images ?? _ownImages;
        _builder = new InitramfsBuilder(Images, NullLogger<InitramfsBuilder>.Instance);
        var installers = new InstallerImages(Images, _builder, rig.Clock, NullLogger<InstallerImages>.Instance);
        Jobs = new ImageJobs(rig.Database, Images, installers, rig.Events, rig.Clock, NullLogger<ImageJobs>.Instance);
        _hostKeys = new HostKeys(rig.Options.StateDirectory);
        Tokens = new TokenStore(rig.Database, rig.Events, rig.Clock);
        Leases = new LeaseTable(rig.Clock);
        var loaders = new LoaderFiles(Images, rig.Clock, NullLogger<LoaderFiles>.Instance);
        var files = new NodeFiles(rig.Options, Images, loaders, ServerSecret.Open(rig.Options.StateDirectory),
            NullLoggerFactory.Instance);
        var directory = new BootDirectory(rig.Options, rig.Nodes, new NodeLocator(rig.Nodes, Leases, rig.Clock),
            new BootObserver(rig.Nodes, rig.Timeline, rig.Clock), files, loaders, rig.Clock);
        var committer = new LeaseCommitter(
            new SqlLeaseStore(rig.Database), Leases, rig.Clock, NullLogger<LeaseCommitter>.Instance);
        Dhcp = new DhcpService([.. rig.Options.Networks.Select(n => new ServedNetwork(ManagerHost.ToDhcp(n), n.Via))],
            directory, Leases, committer, rig.Nodes, rig.Events, rig.Clock, NullLoggerFactory.Instance);
        Actions = new NodeActions(
            rig.Options, rig.Nodes, Images, PowerRig.Power, PowerRig.Ports, rig.Timeline, _hostKeys);
        App = ApiHost.Build(rig.Options, services => services
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(Logger<>))
            .AddSingleton<TimeProvider>(rig.Clock).AddSingleton(rig.Options).AddSingleton(rig.Nodes).AddSingleton(
                rig.Timeline)
            .AddSingleton(Actions).AddSingleton(PowerRig.Power).AddSingleton(PowerRig.Ports).AddSingleton(Images)
            .AddSingleton(Jobs).AddSingleton(installers).AddSingleton(Leases).AddSingleton(rig.Events)
            .AddSingleton(Tokens).AddSingleton(new BootExplainer(rig.Options, files, Images))
            .AddSingleton(Dhcp).AddSingleton(
                new ManagerStatus(rig.Options, rig.Nodes, rig.Database, rig.Clock) { Counters = () => Dhcp.Counters })
            .AddSingleton(new BackupWriter(rig.Options, rig.Database, Images, rig.Clock)));
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://api") };
    }

    public PowerRig PowerRig { get; }

    public Rig Rig => PowerRig.Rig;

    public WebApplication App { get; }

    public ImageStore Images { get; }

    public ImageJobs Jobs { get; }

    public TokenStore Tokens { get; }

    public LeaseTable Leases { get; }

    public NodeActions Actions { get; }

    public DhcpService Dhcp { get; }

    public string Viewer { get; private set; } = "";

    public string Operator { get; private set; } = "";

    public string Admin { get; private set; } = "";

    public static async Task<ApiRig> StartAsync(ImageStore? images = null, BrambleOptions? options = null)
    {
        var api = new ApiRig(images, options);
        api.Viewer = (await api.Tokens.CreateAsync("looker", Role.Viewer, null, "test")).Secret;
        api.Operator = (await api.Tokens.CreateAsync("doer", Role.Operator, null, "test")).Secret;
        api.Admin = (await api.Tokens.CreateAsync("boss", Role.Admin, null, "test")).Secret;
        await api.App.StartAsync(Scratch.Cancellation);
        ApiHost.OpenSockets(api.Rig.Options);
        return api;
    }

    public string TokenOf(Role role) => role switch
    {
        Role.Viewer => Viewer,
        Role.Operator => Operator,
        _ => Admin,
    };

    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? token, string? json = null, string contentType = "application/json",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (json is not null) request.Content = new StringContent(
            json, Encoding.UTF8, MediaTypeHeaderValue.Parse(contentType));
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Scratch.Cancellation);
    }

    /// <summary>As an admin; the answer must be good.</summary>
    public async Task<JsonNode> GetAsync(string path) => await ReadAsync(await SendAsync("GET", path, Admin));

    /// <summary>As an operator; the answer must be good.</summary>
    public async Task<JsonNode> DoAsync(string method, string path, string json) =>
        await ReadAsync(await SendAsync(method, path, Operator, json));

    /// <summary>A request that must be refused with problem details; returns the detail.</summary>
    public async Task<string> RefusedAsync(HttpStatusCode status, string method, string path, string? json = null,
        string? token = null, string contentType = "application/json")
    {
        using var response = await SendAsync(method, path, token ?? Admin, json, contentType);
        var text = await response.Content.ReadAsStringAsync(Scratch.Cancellation);
        Assert.True(response.StatusCode == status, $"{method} {path}: {response.StatusCode} {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize(text, ContractsJson.Default.ProblemView)!;
        Assert.Equal((int)status, problem.Status);
        Assert.False(string.IsNullOrEmpty(problem.Title));
        return problem.Detail!;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await App.DisposeAsync();
        _builder.Dispose();
        _ownImages.Dispose();
        _hostKeys.Dispose();
        await PowerRig.DisposeAsync();
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync(Scratch.Cancellation);
            Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode} {text}");
            return JsonNode.Parse(text)!;
        }
    }
}
