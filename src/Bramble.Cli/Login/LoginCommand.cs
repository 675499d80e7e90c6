using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Login;

/// <summary>Keeps a server and its token for the commands to come.</summary>
internal static class LoginCommand
{
    public static Command Create(CommandSet set)
    {
        var url = new Argument<string?>("URL")
        {
            Description = "The manager; as --server",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new HelpfulCommand("login", "Keep a manager's address and your token",
            "The token is read from the terminal, unseen, or from stdin; never from the command line, where every\n"
            + "user of the machine could read it. It is tried on the manager, then kept with the address in\n"
            + "$XDG_CONFIG_HOME/bramble/client.json (mode 0600).",
            "bramble login https://rack.example:8443\n"
            + "bramble login unix:/run/bramble/api.sock < /root/first-token")
        {
            url,
        };
        return set.Handle(command, (session, cancellation) => RunAsync(session, session.Value(url), cancellation));
    }

    private static async Task<int> RunAsync(Session session, string? url, CancellationToken cancellation)
    {
        var terminal = session.Terminal;
        var path = ClientFile.PathFor(terminal)
            ?? throw new CliException(
                ExitCode.Failed, "there is no place to keep a token: set HOME or XDG_CONFIG_HOME");
        var address = url is null ? session.Connection.Address : ServerAddress.Parse(url, "URL");
        var token = await ReadTokenAsync(session, address, cancellation);
        if (address.IsOpenToEavesdroppers)
            session.Say("warning: over plain http, everybody on the way can read the token; prefer https");
        if (session.DryRun)
        {
            session.Say($"dry run: would try the token on {address.Text} and keep both in {path}");
            return ExitCode.Ok;
        }
        using var api = new ApiClient(
            new Connection(address, token, "the manager does not know this token", ""),
            session.Timeout ?? ApiClient.UsualTimeout, terminal.Time);
        var manager = await api.GetAsync(ApiRoutes.Manager, ContractsJson.Default.ManagerView, cancellation);
        try
        {
            new ClientFile(address.Text, token).Write(path);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"the token is good, but cannot be kept: {failed.Message}", failed);
        }
        session.Say($"logged in to cluster {manager.Value.Cluster} at {address.Text}; kept in {path}");
        return ExitCode.Ok;
    }

    private static async Task<string> ReadTokenAsync(
        Session session, ServerAddress address, CancellationToken cancellation)
    {
        var terminal = session.Terminal;
        string? line;
        if (terminal.InIsTerminal)
        {
            terminal.Error.Write($"Token for {address.Text}: ");
            line = await Task.Run(terminal.ReadSecret, cancellation).WaitAsync(cancellation);
            terminal.Error.WriteLine();
        }
        else
        {
            line = await terminal.In.ReadLineAsync(cancellation);
        }
        if (line?.Trim() is not { Length: > 0 } token)
            throw new UsageException("no token was given; the manager printed its first when it was first started");
        return Connection.Checked(token, "typed");
    }
}
