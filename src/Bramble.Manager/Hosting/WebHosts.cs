namespace Bramble.Manager.Hosting;

/// <summary>How the daemon's web servers are made.</summary>
internal static class WebHosts
{
    /// <summary>
    /// Not from settings files: by default the framework reads those of the directory in which the daemon happens to
    /// be started, and watches that directory and all below it, each write of the store included.
    /// </summary>
    public static WebApplicationOptions Options { get; } = new()
    {
        ContentRootPath = AppContext.BaseDirectory,
        Args = ["--hostBuilder:reloadConfigOnChange=false"],
    };
}
