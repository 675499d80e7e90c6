using System.CommandLine;
using Bramble.Contracts.Images;

namespace Bramble.Cli.Images;

internal static class ImageBuildDebianCommand
{
    public static Command Create(CommandSet set)
    {
        var arch = new Option<string>("--arch") { Description = "arm64, armhf or amd64", Required = true };
        arch.AcceptOnlyFromAmong("arm64", "armhf", "amd64");
        var name = new Option<string?>("--name") { Description = "The image's name; else debian-SUITE-ARCH" };
        var suite = new Option<string?>("--suite") { Description = "bookworm, trixie, …; else the manager's own" };
        var package = new Option<string[]>("--package")
        {
            Description = "A further package; may be repeated",
            AllowMultipleArgumentsPerToken = true,
        };
        var slim = new Option<bool>("--slim")
        {
            Description = "Leave out what a headless board does not use (drivers, character sets, texts)",
        };
        var noWait = new Option<bool>("--no-wait") { Description = "Do not follow the job" };
        var command = new HelpfulCommand("debian", "Build a Debian root with its kernel",
            "A job of the manager, by mmdebstrap. For arm64 and armhf, with the Raspberry Pi's firmware.",
            "bramble image build debian --arch arm64 --name debian12 --package vim htop")
        {
            arch, name, suite, package, slim, noWait,
        };
        return set.Handle(command, async (session, cancellation) =>
        {
            var architecture = session.Value(arch)!;
            var release = session.Value(suite);
            var request = new ImageJobRequest
            {
                Kind = "build-debian",
                Name = session.Value(name)
                    ?? (release is null ? $"debian-{architecture}" : $"debian-{release}-{architecture}"),
                Architecture = architecture,
                Suite = release,
                Packages = session.Value(package) ?? [],
                Slim = session.Value(slim),
            };
            if (session.DryRun)
            {
                var what = release is null ? "Debian" : $"Debian {release}";
                session.Say($"dry run: would have the manager build {what} for {architecture} as image {request.Name}");
                return ExitCode.Ok;
            }
            return await ImageJob.StartAsync(session, request, follow: !session.Value(noWait), cancellation);
        });
    }
}
