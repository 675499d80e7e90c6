using System.CommandLine;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;

namespace Bramble.Cli.Tokens;

internal static class TokenCreateCommand
{
    public static Command Create(CommandSet set)
    {
        var name = new Argument<string>("NAME") { Description = "Who or what it is for" };
        var role = new Option<string>("--role")
        {
            Description = "viewer (looks), operator (acts on nodes, power and images) or admin (also tokens)",
            DefaultValueFactory = _ => "viewer",
        };
        role.AcceptOnlyFromAmong("viewer", "operator", "admin");
        var expires = new Option<string?>("--expires")
        {
            Description = "Valid for this long, as 30d or 12h; else for ever",
            HelpName = "TIME",
        };
        var command = new HelpfulCommand("create", "Create a token",
            "Prints the secret on stdout. It is shown this once only.",
            "bramble token create ci --role operator --expires 30d")
        {
            name, role, expires,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            DateTimeOffset? end = session.Value(expires) is not { } text ? null
                : Duration.TryParse(text, out var span) ? session.Terminal.Time.GetUtcNow() + span
                : throw new UsageException($"'{text}' is not a time; write it as 12h or 30d");
            var wish = new TokenCreate(
                session.Value(name)!, Enum.Parse<Role>(session.Value(role)!, ignoreCase: true), end);
            if (session.DryRun)
            {
                session.Say($"dry run: would create a token named {wish.Name} of role {session.Value(role)}");
                return ExitCode.Ok;
            }
            var answer = await session.Api.PostAsync(ApiRoutes.Tokens, wish,
                ContractsJson.Default.TokenCreate, ContractsJson.Default.TokenCreated, cancellation);
            session.Say($"created token {answer.Value.Token.Id} for {answer.Value.Token.Name}; "
                + "its secret is shown now and never again:");
            session.Printer.Show(answer.Raw, () => new Spectre.Console.Text(answer.Value.Secret));
            return ExitCode.Ok;
        });
    }
}
