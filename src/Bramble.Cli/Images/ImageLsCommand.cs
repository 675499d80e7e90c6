using System.CommandLine;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Images;

internal static class ImageLsCommand
{
    public static Command Create(CommandSet set)
    {
        var command = new HelpfulCommand("ls", "List the images",
            "Lists what nodes can be installed with.", "bramble image ls");
        return set.Handle(command, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(
                ApiRoutes.Images, ContractsJson.Default.IReadOnlyListImageView, cancellation);
            session.Printer.Show(answer.Raw, () =>
            {
                var now = session.Terminal.Time.GetUtcNow();
                var wide = session.Printer.IsWide;
                var sheet = wide
                    ? new Sheet("NAME", "ARCH", "SIZE", "OS", "AGE", "DIGEST", "SOURCE", "USED BY")
                    : new Sheet("NAME", "ARCH", "SIZE", "OS", "AGE", "USED BY");
                foreach (var image in answer.Value)
                {
                    var users = image.UsedBy ?? [];
                    List<Cell> cells =
                    [
                        image.Name, image.Architecture, Human.Size(image.SizeBytes), image.OsName,
                        Human.Age(image.AddedAt, now),
                    ];
                    if (wide) cells.AddRange([image.Digest, image.Source]);
                    cells.Add(wide ? string.Join(' ', users)
                        : users.Count == 0 ? "" : Human.Plural(users.Count, "node"));
                    sheet.Add([.. cells]);
                }
                return sheet;
            });
            if (answer.Value.Count == 0) session.Say("no images; add one: bramble image add FILE");
            return ExitCode.Ok;
        });
    }
}
