using System.CommandLine;

namespace Bramble.Cli.Tokens;

/// <summary><c>bramble token ls|create|revoke</c></summary>
internal static class TokenCommands
{
    public static Command Create(CommandSet set) => new HelpfulCommand(
        "token", "The API's tokens: list, create, revoke")
    {
        TokenLsCommand.Create(set),
        TokenCreateCommand.Create(set),
        TokenRevokeCommand.Create(set),
    };
}
