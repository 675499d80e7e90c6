using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Backups;
using Bramble.Manager.Capture;
using Bramble.Manager.Configuration;
using Bramble.Manager.Dhcp;
using Bramble.Manager.Events;
using Bramble.Manager.Hosting;
using Bramble.Manager.Images;
using Bramble.Manager.Leases;
using Bramble.Manager.Nodes;
using Bramble.Manager.Power;
using Bramble.Manager.Security;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bramble.Manager.Api;

/// <summary>The REST API's web server: loopback and a Unix socket by default, every door authenticated.</summary>
public static class ApiHost
{
    public static WebApplication Build(BrambleOptions options, Action<IServiceCollection> addShared)
    {
        var builder = WebApplication.CreateSlimBuilder(WebHosts.Options);
        builder.Logging.ClearProviders();
        addShared(builder.Services);
        BearerAuthentication.AddTo(builder.Services);
        // Authentication brings key storage for cookies along; tokens need none, so nothing is put on the disk.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddOpenApi("v1");
        // Else a body that cannot be read is answered with a bare 400 that says nothing.
        builder.Services.Configure<RouteHandlerOptions>(routing => routing.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJson.Default);
            // A resolver brings its types along, not its converters: without them a role would be read as a number.
            foreach (var converter in ContractsJson.Default.Options.Converters)
                json.SerializerOptions.Converters.Add(converter);
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 2_000;
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
            foreach (var address in options.Api.Listen) Listen(kestrel, address, options.Api);
        });
        var app = builder.Build();
        app.UseExceptionHandler(Problems.Handler());
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseStatusCodePages(Problems.ExplainAsync);
        NodeEndpoints.Map(app);
        NodeImportEndpoint.Map(app);
        PowerEndpoints.Map(app);
        ImageEndpoints.Map(app);
        LeaseEndpoints.Map(app);
        DhcpEndpoints.Map(app);
        EventEndpoints.Map(app);
        TokenEndpoints.Map(app);
        CaptureEndpoints.Map(app);
        BackupEndpoint.Map(app);
        app.MapGet(ApiRoutes.Manager, ManagerStatus.Show).RequireAuthorization(nameof(Role.Viewer));
        app.MapOpenApi("/openapi/{documentName}.json").RequireAuthorization(nameof(Role.Viewer));
        return app;
    }

    /// <summary>A socket may be used by whoever reaches it: a token is asked for there as well.</summary>
    public static void OpenSockets(BrambleOptions options)
    {
        foreach (var path in UnixPaths(options))
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
                | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite);
        }
    }

    private static IEnumerable<string> UnixPaths(BrambleOptions options) => options.Api.Listen
        .Where(address => address.StartsWith("unix:", StringComparison.Ordinal)).Select(address => address[5..]);

    private static void Listen(KestrelServerOptions kestrel, string address, ApiOptions api)
    {
        if (address.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = address[5..];
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // What a killed daemon left behind would stand in the way.
            File.Delete(path);
            kestrel.ListenUnixSocket(path);
            return;
        }
        kestrel.Listen(IPEndPoint.Parse(address), listen =>
        {
            if (api.CertificateFile is { } certificate)
                listen.UseHttps(X509Certificate2.CreateFromPemFile(certificate, api.KeyFile));
        });
    }
}
