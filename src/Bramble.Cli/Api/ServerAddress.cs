namespace Bramble.Cli.Api;

/// <summary>Where the manager listens: a URL, or a Unix socket that speaks HTTP.</summary>
/// <param name="Base">For HTTP; a socket's has a host that stands for nothing.</param>
/// <param name="SocketPath">Null for TCP.</param>
internal sealed record ServerAddress(Uri Base, string? SocketPath)
{
    public const string Usual = "unix:/run/bramble/api.sock";

    /// <summary>As typed, and as it is compared with the one that a token was stored for.</summary>
    public string Text => SocketPath is null ? Base.GetLeftPart(UriPartial.Path).TrimEnd('/') : $"unix:{SocketPath}";

    /// <summary>True if a token sent there could be read on the way.</summary>
    public bool IsOpenToEavesdroppers => SocketPath is null && Base.Scheme == Uri.UriSchemeHttp && !Base.IsLoopback;

    public static ServerAddress Parse(string text, string whereFrom)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            if (path.StartsWith("///", StringComparison.Ordinal)) path = path[2..];
            if (path.StartsWith('/')) return new(new Uri("http://bramble/"), path);
            throw new UsageException($"'{text}' ({whereFrom}) names no socket; write unix:/path/to.sock");
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new UsageException(
                $"'{text}' ({whereFrom}) is no server; write http://…, https://… or unix:/path/to.sock");
        }
        if (url.UserInfo.Length > 0)
        {
            throw new UsageException(
                $"the server URL ({whereFrom}) holds a user name; log in with a token instead: bramble login");
        }
        // A path is kept, so that a reverse proxy may put the manager below one.
        return new(new Uri(url.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/"), null);
    }
}
