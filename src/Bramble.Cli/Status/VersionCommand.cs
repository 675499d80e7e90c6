using System.CommandLine;
using System.Text.Json;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Status;

/// <summary>This program's version, and the manager's if one answers.</summary>
internal static class VersionCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("version", "This program's version, and the manager's",
            "A manager that does not answer is no failure here; the reason is on stderr.", "bramble version");
        return set.Handle(command, async (session, cancellation) =>
        {
            string? manager = null;
            try
            {
                var answer = await session.Api.GetAsync(
                    ApiRoutes.Manager, ContractsJson.Default.ManagerView, cancellation);
                manager = answer.Value.Version;
            }
            catch (CliException none)
            {
                session.Say($"the manager's version is unknown: {none.Message}");
            }
            session.Printer.Show(Json(manager), () =>
            {
                var sheet = new Output.Sheet("", "");
                sheet.AddIf("bramble", Product.Version);
                sheet.AddIf("brambled", manager);
                return sheet;
            });
            return ExitCode.Ok;
        });
    }

    private static JsonElement Json(string? manager)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("client", Product.Version);
            writer.WriteString("manager", manager);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(bytes.ToArray());
        return document.RootElement.Clone();
    }
}
