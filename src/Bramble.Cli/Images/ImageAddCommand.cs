using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;
using Bramble.Contracts.Images;

namespace Bramble.Cli.Images;

/// <summary>A file of this machine is sent up; a URL is fetched by the manager itself.</summary>
internal static class ImageAddCommand
{
    private static readonly string[] Packings = [".xz", ".gz", ".zst", ".tgz", ".txz"];
    private static readonly string[] Kinds = [".img", ".tar", ".raw"];

    public static Command Create(CommandSet set)
    {
        var source = new Argument<string>("FILE|URL")
        {
            Description = "A file of this machine, or an http or https URL",
        };
        var name = new Option<string?>("--name") { Description = "The image's name; else the file's, without endings" };
        var sha256 = new Option<string?>("--sha256") { Description = "Expected SHA-256 of the file as it is, in hex" };
        var arch = new Option<string?>("--arch") { Description = "arm64, armhf or amd64; else as its kernels say" };
        var noWait = new Option<bool>("--no-wait") { Description = "For a URL: do not follow the job" };
        var command = new HelpfulCommand("add", "Add an image from a file or a URL",
            "Takes disk images (.img) and root file systems (.tar), as they are or packed as .xz, .gz or .zst. A file\n"
            + "is sent up from here; a URL is fetched by the manager, in a job that goes on if you stop watching it.",
            "bramble image add raspios-lite.img.xz --name raspios\n"
            + "bramble image add https://example.org/raspios-lite.img.xz --sha256 9f86d0…")
        {
            source, name, sha256, arch, noWait,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var from = session.Value(source)!;
            var wish = new Wish(
                from, session.Value(name) ?? NameFrom(from), Digest(session.Value(sha256)), session.Value(arch));
            return IsUrl(from)
                ? await FetchAsync(session, wish, follow: !session.Value(noWait), cancellation)
                : await UploadAsync(session, wish, cancellation);
        });
    }

    private sealed record Wish(string Source, string Name, string? Sha256, string? Architecture);

    private static bool IsUrl(string text) =>
        text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static async Task<int> FetchAsync(Session session, Wish wish, bool follow, CancellationToken cancellation)
    {
        var request = new ImageJobRequest
        {
            Kind = "fetch",
            Name = wish.Name,
            Url = wish.Source,
            Sha256 = wish.Sha256,
            Architecture = wish.Architecture,
        };
        if (session.DryRun)
        {
            session.Say($"dry run: would have the manager fetch {wish.Source} as image {wish.Name}");
            return ExitCode.Ok;
        }
        return await ImageJob.StartAsync(session, request, follow, cancellation);
    }

    private static async Task<int> UploadAsync(Session session, Wish wish, CancellationToken cancellation)
    {
        await using var file = Open(wish.Source);
        if (session.DryRun)
        {
            session.Say($"dry run: would send {wish.Source} ({Human.Size(file.Length)}) up as image {wish.Name}");
            return ExitCode.Ok;
        }
        var path = ApiPath.With(ApiPath.Of(ApiRoutes.Image, wish.Name),
            ("file", Path.GetFileName(wish.Source)), ("sha256", wish.Sha256), ("architecture", wish.Architecture));
        var answer = await Meter.RunAsync(session, $"sending {Path.GetFileName(wish.Source)}", async report =>
        {
            var total = file.Length;
            using var body = new FileUpload(file, sent =>
                report(new Advance(sent, total, sent < total ? "" : "sent; the manager checks and unpacks it")));
            return await session.Api.PutAsync(
                path, body, ContractsJson.Default.ImageView, session.Timeout, cancellation);
        });
        session.Printer.Show(answer.Raw, () => ImageShowCommand.Table(answer.Value));
        return ExitCode.Ok;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.Read,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = 0,
            });
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, $"cannot read {path}: {failed.Message}", failed);
        }
    }

    /// <summary><c>https://example.org/2024-raspios_lite.img.xz?x=y</c> → <c>2024-raspios_lite</c>.</summary>
    internal static string NameFrom(string source)
    {
        var file = IsUrl(source) && Uri.TryCreate(source, UriKind.Absolute, out var url)
            ? Uri.UnescapeDataString(url.Segments[^1])
            : Path.GetFileName(source);
        foreach (var endings in new[] { Packings, Kinds })
        {
            foreach (var ending in endings)
            {
                if (!file.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) continue;
                file = file[..^ending.Length];
                break;
            }
        }
        var name = file.Trim('/', '.').ToLowerInvariant();
        return name.Length > 0
            ? name
            : throw new UsageException($"'{source}' holds no name for the image; give it one with --name");
    }

    private static string? Digest(string? hex)
    {
        if (hex is null) return null;
        return hex.Length == 64 && hex.All(char.IsAsciiHexDigit)
            ? hex.ToLowerInvariant()
            : throw new UsageException("--sha256 takes 64 hex digits, as sha256sum prints them");
    }
}
