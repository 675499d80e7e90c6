using System.CommandLine;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Tokens;

internal static class TokenLsCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("ls", "List the tokens",
            "Lists who may use the API. Secrets are not kept, so not shown.", "bramble token ls");
        return set.Handle(command, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(
                ApiRoutes.Tokens, ContractsJson.Default.IReadOnlyListTokenView, cancellation);
            session.Printer.Show(answer.Raw, () =>
            {
                var now = session.Terminal.Time.GetUtcNow();
                var sheet = new Sheet("ID", "NAME", "ROLE", "AGE", "LAST USED", "EXPIRES");
                foreach (var token in answer.Value)
                {
                    sheet.Add(token.Id, token.Name, token.Role.ToString().ToLowerInvariant(),
                        Human.Age(token.CreatedAt, now),
                        token.LastUsedAt is { } used ? $"{Human.Age(used, now)} ago" : "never",
                        token.ExpiresAt is { } end ? Human.Time(end) : "never");
                }
                return sheet;
            });
            return ExitCode.Ok;
        });
    }
}
