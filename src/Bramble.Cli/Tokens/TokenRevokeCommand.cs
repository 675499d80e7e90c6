using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Tokens;

internal static class TokenRevokeCommand
{
    public static Command Create(CommandSet set)
    {
        var id = new Argument<string>("TOKEN") { Description = "Its id or name, as 'bramble token ls' shows them" };
        var command = new HelpfulCommand("revoke", "Revoke a token",
            "Asks first. From then on, the manager refuses the token.", "bramble token revoke ci")
        {
            id,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            Confirmation.Require(session, "token revoke");
            var typed = session.Value(id)!;
            var all = await session.Api.GetAsync(
                ApiRoutes.Tokens, ContractsJson.Default.IReadOnlyListTokenView, cancellation);
            var meant = all.Value.Where(t => t.Id == typed).ToList() is { Count: > 0 } byId
                ? byId
                : all.Value.Where(t => t.Name == typed).ToList();
            if (meant is not [var token])
            {
                throw new CliException(ExitCode.NotFound, meant.Count == 0
                    ? $"there is no token '{typed}'; see 'bramble token ls'"
                    : $"{meant.Count} tokens are named '{typed}'; name one by its id, see 'bramble token ls'");
            }
            if (session.DryRun)
            {
                session.Say($"dry run: would revoke token {token.Id} ({token.Name})");
                return ExitCode.Ok;
            }
            if (!await Confirmation.AskAsync(session, $"Revoke token {token.Name}?",
                [$"{token.Id}  {token.Name}  {token.Role.ToString().ToLowerInvariant()}"], cancellation))
                return ExitCode.Failed;
            await session.Api.DeleteAsync(ApiPath.Of(ApiRoutes.Token, token.Id), cancellation);
            session.Say($"revoked token {token.Id} ({token.Name})");
            return ExitCode.Ok;
        });
    }
}
