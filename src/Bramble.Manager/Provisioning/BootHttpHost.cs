using Bramble.Manager.Configuration;
using Bramble.Manager.Hosting;
using Microsoft.AspNetCore.Diagnostics;

namespace Bramble.Manager.Provisioning;

/// <summary>
/// The HTTP server of the boot networks: bound to our address on each. What boot ROMs fetch needs no credential (they
/// have none); everything else asks for the board's own.
/// </summary>
public static class BootHttpHost
{
    public static WebApplication Build(BrambleOptions options, Action<IServiceCollection> addShared)
    {
        var builder = WebApplication.CreateSlimBuilder(WebHosts.Options);
        builder.Logging.ClearProviders();
        addShared(builder.Services);
        builder.Services.AddSingleton<PlainFiles>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 10_000;
            kestrel.Limits.MaxRequestBodySize = 128 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            foreach (var network in options.Networks.Where(n => n.Via is null))
                kestrel.Listen(network.Address.Address.ToIPAddress(), network.HttpPort, SendPlainFiles);
        });
        var app = builder.Build();
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = HandleAsync,
            // What is wrong with the store, it has said itself.
            SuppressDiagnosticsCallback = context => context.Exception is CredentialException or BadHttpRequestException
                or Store.StoreException,
        });
        BootHttpEndpoints.Map(app);
        return app;
    }

    /// <summary>Ahead of HTTP on each connection: what is a plain question for a file is sent by the kernel.</summary>
    private static void SendPlainFiles(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions door)
    {
        var services = door.ApplicationServices;
        var connections = new BootFileConnections(services.GetRequiredService<PlainFiles>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<BootFileConnections>>());
        door.Use(webServer => connection => connections.ServeAsync(connection, webServer));
    }

    /// <summary>A board is told in one line of text; the real error is in the log.</summary>
    private static Task HandleAsync(HttpContext context)
    {
        var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        context.Response.StatusCode = error switch
        {
            CredentialException => StatusCodes.Status403Forbidden,
            BadHttpRequestException bad => bad.StatusCode,
            Boot.Images.ImageException => StatusCodes.Status409Conflict,
            Store.StoreException => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        };
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            context.Response.StatusCode == 500 ? "error: see brambled's log\n" : $"error: {error!.Message}\n");
    }
}
