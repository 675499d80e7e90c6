using System.CommandLine;
using System.Globalization;
using Bramble.Cli.Api;
using Bramble.Cli.Output;
using Bramble.Contracts.Api;

namespace Bramble.Cli.Backups;

/// <summary>Fetches the manager's whole state as one file.</summary>
internal static class BackupCommand
{
    public static Command Create(CommandSet set)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "Where it goes; '-' is stdout [bramble-backup-TIME.tar.gz here]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var withImages = new Option<bool>("--with-images")
        {
            Description = "The images too, not only their names and checksums",
        };
        var command = new HelpfulCommand("backup", "Save the manager's whole state, while it runs",
            "One archive with the database as it is at this moment, the secret key, the nodes' host keys and the\n"
            + "configuration with the files that it names. It holds every secret of the rack: it is made readable for\n"
            + "you alone, and needs an admin's token. A file that is there is not overwritten.",
            "bramble backup /var/backups/rack.tar.gz\nbramble backup - | ssh store 'cat > rack.tar.gz'")
        {
            file, withImages,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var path = ApiPath.With(ApiRoutes.Backup, ("images", session.Value(withImages) ? "true" : null));
            var to = session.Value(file) ?? DefaultName(session);
            if (session.DryRun)
            {
                session.Say($"dry run: would save the state of {session.Connection.Address.Text} as {to}");
                return ExitCode.Ok;
            }
            if (to == "-") await ToStdoutAsync(session, path, cancellation);
            else await ToFileAsync(session, path, to, cancellation);
            return ExitCode.Ok;
        });
    }

    private static string DefaultName(Session session) => string.Create(CultureInfo.InvariantCulture,
        $"bramble-backup-{session.Terminal.Time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}.tar.gz");

    private static async Task ToStdoutAsync(Session session, string path, CancellationToken cancellation)
    {
        if (session.Terminal.OutIsTerminal)
            throw new UsageException("a backup is no text for a terminal; name a file, or lead it into one");
        await using var output = session.Terminal.OutBytes();
        await session.Api.DownloadAsync(path, output, cancellation);
    }

    /// <summary>Under another name until all of it is there and on the disk.</summary>
    private static async Task ToFileAsync(Session session, string path, string to, CancellationToken cancellation)
    {
        RequireFree(to);
        var partial = $"{to}.part";
        var made = false;
        try
        {
            long size;
            await using (var output = new FileStream(partial, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                made = true;
                await session.Api.DownloadAsync(path, output, cancellation);
                output.Flush(flushToDisk: true);
                size = output.Length;
            }
            RequireFree(to);
            File.Move(partial, to, overwrite: false);
            made = false;
            session.Say($"saved as {to} ({Human.Size(size)}); it holds every secret of the rack");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Failed, !made && File.Exists(partial)
                ? $"{partial} is there: another backup goes there, or one was interrupted; remove it if not"
                : $"cannot write {to}: {failed.Message}", failed);
        }
        finally
        {
            if (made) File.Delete(partial);
        }
    }

    private static void RequireFree(string to)
    {
        if (Path.Exists(to))
            throw new CliException(ExitCode.Failed,
                $"{to} is there already, and is not overwritten; name another file");
    }
}
