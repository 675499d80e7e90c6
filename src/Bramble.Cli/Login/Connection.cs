using Bramble.Cli.Api;

namespace Bramble.Cli.Login;

/// <summary>Which manager, and with what token.</summary>
/// <param name="Token">Null for none; a manager may let its own socket's owner in without.</param>
/// <param name="TokenStory">Where the token came from, or where none was found: for the message of a 401.</param>
/// <param name="Warning">Empty, or what the user should mend.</param>
internal sealed record Connection(ServerAddress Address, string? Token, string TokenStory, string Warning)
{
    public static Connection Find(Terminal terminal, string? server)
    {
        var path = ClientFile.PathFor(terminal);
        var file = path is null ? null : ClientFile.Read(path);
        var address =
            server is not null ? ServerAddress.Parse(server, "--server")
            : terminal.Variable("BRAMBLE_SERVER") is { Length: > 0 } told ? ServerAddress.Parse(told, "BRAMBLE_SERVER")
            : file?.Server is { Length: > 0 } kept ? ServerAddress.Parse(kept, path!)
            : ServerAddress.Parse(ServerAddress.Usual, "the default");
        if (terminal.Variable("BRAMBLE_TOKEN") is { Length: > 0 } token)
            return new(address, Checked(token, "BRAMBLE_TOKEN"), "the token in BRAMBLE_TOKEN is not known there", "");
        if (path is null)
            return new(address, null, "BRAMBLE_TOKEN is not set, and without HOME there is no client.json", "");
        if (file?.Token is not { Length: > 0 } stored)
            return new(address, null, $"BRAMBLE_TOKEN is not set, and {path} holds no token", "");
        // A token is for the manager that it was given for; no other gets to see it.
        if (file.Server is not { } its || ServerAddress.Parse(its, path).Text != address.Text)
            return new(address, null, $"BRAMBLE_TOKEN is not set, and the token in {path} is for {file.Server}", "");
        var warning = ClientFile.IsOpenToOthers(path)
            ? $"others can read your token in {path}; mend it with: chmod 600 {path}"
            : "";
        return new(address, Checked(stored, path), $"the token in {path} is not known there", warning);
    }

    /// <summary>RFC 6750 section 2.1: a bearer token is of visible ASCII; else it cannot go into a header.</summary>
    public static string Checked(string token, string whereFrom)
    {
        foreach (var c in token)
        {
            if (c is <= ' ' or >= '\x7f')
                throw new UsageException($"the token ({whereFrom}) holds a character that no token has");
        }
        return token;
    }
}
