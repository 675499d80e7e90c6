using System.CommandLine;
using Bramble.Lab.Images;

namespace Bramble.Lab.Commands;

/// <summary><c>bramble-lab image</c>: a disk image for simulated boards.</summary>
internal static class ImageCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("file") { Description = "Where the image goes" };
        var scale = new Option<ImageScale>("--scale")
        {
            Description = "small, or real: files as large as those of Raspberry Pi OS",
        };
        var fill = new Option<int?>("--root-fill")
        {
            Description = "Megabytes of files without meaning in the root: 2 for small, 200 for real",
        };
        var architecture = new Option<string>("--arch")
        {
            Description = "arm64 (Pis and arm64 machines with UEFI) or amd64 (PCs)",
            DefaultValueFactory = _ => "arm64",
        };
        architecture.AcceptOnlyFromAmong("arm64", "amd64");
        var command = new Command("image", "Make a disk image for simulated boards; the same every time")
        {
            path, scale, fill, architecture,
        };
        command.SetAction((parsed, cancellation) => Failures.ShownAsync(async () =>
        {
            var size = parsed.GetValue(scale);
            var megabytes = parsed.GetValue(fill) ?? (size == ImageScale.Real ? 200 : 2);
            if (megabytes is < 0 or > 16384) throw new ArgumentException("--root-fill is 0 to 16384 megabytes");
            var file = Path.GetFullPath(parsed.GetValue(path)!);
            await new ImageBuilder(size, (long)megabytes << 20, parsed.GetValue(architecture)!)
                .BuildAsync(file, cancellation);
            Console.WriteLine($"{file}: {new FileInfo(file).Length} octets");
            return 0;
        }));
        return command;
    }
}
