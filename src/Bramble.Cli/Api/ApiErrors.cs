using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Bramble.Cli.Login;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Api;

/// <summary>Says in one sentence what went wrong with the manager, and what to do.</summary>
internal static class ApiErrors
{
    public static CliException Refused(Connection connection, HttpResponseMessage response, byte[] body)
    {
        var said = Problem(body);
        var status = response.StatusCode;
        switch (status)
        {
            case HttpStatusCode.Unauthorized:
                return new CliException(ExitCode.Denied, $"not logged in: {connection.TokenStory}. "
                    + $"Log in with 'bramble login {connection.Address.Text}', or set BRAMBLE_TOKEN.");
            case HttpStatusCode.Forbidden:
                return new CliException(ExitCode.Denied, Sentence(said ?? "the token's role does not allow it")
                    + " Ask an administrator for a token with a higher role.");
            case HttpStatusCode.NotFound when said is null:
                return new CliException(ExitCode.NotFound,
                    $"{connection.Address.Text} knows no such path; is it a Bramble manager of this version?");
            case HttpStatusCode.NotFound:
                return new CliException(ExitCode.NotFound, said);
            case >= HttpStatusCode.Ambiguous and < HttpStatusCode.BadRequest:
                return new UnreachableException($"{connection.Address.Text} sends us on to "
                    + $"{response.Headers.Location}; point --server (or BRAMBLE_SERVER) there.");
            case HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout:
                return new UnreachableException($"{connection.Address.Text} cannot answer now ({(int)status}): "
                    + Sentence(said ?? "the manager behind it is down or starting") + " Try again in a moment.");
            case >= HttpStatusCode.InternalServerError:
                return new CliException(ExitCode.Failed, $"the manager failed ({(int)status}): "
                    + Sentence(said ?? "it gave no reason") + " Its log says more: journalctl -u brambled");
            default:
                return new CliException(ExitCode.Failed, said ?? $"the manager said no ({(int)status})");
        }
    }

    public static UnreachableException Unreachable(Connection connection, Exception failed)
    {
        var address = connection.Address;
        var inner = failed;
        while (inner is not (SocketException or AuthenticationException) && inner.InnerException is { } next)
            inner = next;
        var (why, advice) = (inner as SocketException)?.SocketErrorCode switch
        {
            SocketError.AccessDenied => ("you may not open the socket",
                "Be root or in the group that owns it, or go by https with a token."),
            SocketError.ConnectionRefused when address.SocketPath is not null =>
                ("the socket is there, but nobody listens on it", StartOrPoint),
            SocketError.ConnectionRefused => ("connection refused", StartOrPoint),
            SocketError.AddressNotAvailable when address.SocketPath is not null =>
                ("there is no such socket", StartOrPoint),
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain =>
                ($"no address is known for '{address.Base.Host}'", "Check --server or BRAMBLE_SERVER."),
            SocketError.HostUnreachable or SocketError.NetworkUnreachable =>
                ("no way leads there", "Check the network, and --server or BRAMBLE_SERVER."),
            null when inner is AuthenticationException =>
                ($"its certificate or TLS is not accepted: {inner.Message.TrimEnd('.')}",
                    "Have the certificate's issuer trusted on this machine."),
            null when failed is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
                ("it does not speak HTTP", "Check --server or BRAMBLE_SERVER."),
            null when failed is HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded }
                or IOException => ("the connection broke off", "See whether the manager is still up: bramble status"),
            null => (failed.Message.TrimEnd('.'), StartOrPoint),
            _ => (inner.Message.TrimEnd('.'), StartOrPoint),
        };
        if (address.SocketPath is { } path && inner is SocketException && !File.Exists(path)
            && inner is not SocketException { SocketErrorCode: SocketError.AccessDenied })
            why = "there is no such socket";
        return new UnreachableException($"cannot reach the manager at {address.Text}: {why}. {advice}", failed);
    }

    public static UnreachableException Late(Connection connection, Exception late) =>
        new($"the manager at {connection.Address.Text} did not answer in time. Give it longer with --timeout, "
            + "or see its log: journalctl -u brambled", late);

    public static UnreachableException NotBramble(Connection connection, string why, Exception? cause = null) =>
        new($"what answers at {connection.Address.Text} is no Bramble manager of this version: {why.TrimEnd('.')}. "
            + "Check --server or BRAMBLE_SERVER.", cause);

    private const string StartOrPoint =
        "Start it with 'systemctl start brambled', or point --server (or BRAMBLE_SERVER) at a running one.";

    /// <summary>What the problem details say; null if the body is none.</summary>
    private static string? Problem(byte[] body)
    {
        try
        {
            var problem = JsonSerializer.Deserialize(body, ContractsJson.Default.ProblemView);
            var said = problem?.Detail is { Length: > 0 } detail ? detail : problem?.Title;
            return string.IsNullOrWhiteSpace(said) ? null : Human.Clean(said);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Sentence(string text) => text is [.., '.' or '?' or '!'] ? text : $"{text}.";
}
