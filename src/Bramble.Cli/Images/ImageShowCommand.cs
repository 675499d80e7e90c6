using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;

namespace Bramble.Cli.Images;

internal static class ImageShowCommand
{
    public static Command Create(CommandSet set)
    {
        var image = ImageArgument.Create(set);
        var command = new HelpfulCommand("show", "Show all about one image",
            "Shows its partitions, kernels, digest, and the nodes that use it.", "bramble image show raspios")
        {
            image,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var answer = await session.Api.GetAsync(
                ApiPath.Of(ApiRoutes.Image, session.Value(image)!), ContractsJson.Default.ImageView, cancellation);
            session.Printer.Show(answer.Raw, () => Table(answer.Value));
            return ExitCode.Ok;
        });
    }

    public static Sheet Table(ImageView image)
    {
        var sheet = new Sheet("", "");
        sheet.AddIf("Name", image.Name);
        sheet.AddIf("Architecture", image.Architecture);
        sheet.AddIf("System", image.OsName);
        sheet.AddIf("Size", Human.Size(image.SizeBytes));
        sheet.AddIf("SHA-256", image.Digest);
        sheet.AddIf("Source", image.Source);
        sheet.AddIf("Added", Human.Time(image.AddedAt));
        sheet.AddIf("Grows", image.CanGrow ? "yes, to the disk's size" : "no");
        foreach (var part in image.Partitions ?? [])
        {
            sheet.AddIf($"Partition {part.Number}",
                $"{Human.Size(part.SizeBytes)} at {Human.Size(part.OffsetBytes)}, "
                + $"{part.FileSystem} {part.Label} ({part.Type})");
        }
        sheet.AddIf("Kernels", string.Join(' ', image.KernelVersions ?? []));
        sheet.AddIf("Used by", string.Join(' ', image.UsedBy ?? []));
        return sheet;
    }
}
