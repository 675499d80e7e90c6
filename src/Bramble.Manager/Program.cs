using System.Runtime.InteropServices;
using Bramble.Boot.Images;
using Bramble.Boot.Loaders;
using Bramble.Contracts.Security;
using Bramble.Manager;
using Bramble.Manager.Api;
using Bramble.Manager.Backups;
using Bramble.Manager.Configuration;
using Bramble.Manager.Events;
using Bramble.Manager.Hosting;
using Bramble.Manager.Power;
using Bramble.Manager.Security;
using Bramble.Manager.Store;
using Microsoft.Extensions.Logging.Abstractions;

const string usage = """
    brambled: boots, installs, powers and watches a rack of boards.

      brambled [--config FILE]              run in the foreground (systemd: unit brambled.service)
      brambled check-config [FILE]          read the configuration, say all that is wrong with it, start nothing
      brambled first-token [--config FILE]  print an admin token; refused while there is one that is still valid
      brambled restore FILE [--config FILE | --state DIR] [--dry-run]
                                            put a backup ('bramble backup') in the place of the state; the daemon
                                            must not be running
      brambled fetch-loaders [--config FILE]  fetch the boot loaders of PCs and UEFI machines now, not when one asks
      brambled --version

    FILE is /etc/bramble/bramble.yaml unless given.
    Exit codes: 0 ended as told, 1 failed, 2 the configuration or the command line is wrong.
    """;

var file = "/etc/bramble/bramble.yaml";
var command = args is ["restore", ..] ? "restore" : "run";
for (var i = 0; i < args.Length && command != "restore"; i++)
{
    switch (args[i])
    {
        case "--config" when i + 1 < args.Length:
            file = args[++i];
            break;
        case "check-config" or "first-token" or "fetch-loaders" when i == 0:
            command = args[i];
            break;
        case var path when command == "check-config" && !path.StartsWith('-'):
            file = path;
            break;
        case "--version":
            Console.WriteLine($"brambled {ManagerStatus.Version}");
            return 0;
        case "--help" or "-h":
            Console.WriteLine(usage);
            return 0;
        default:
            Console.Error.WriteLine($"brambled: '{args[i]}' is not understood\n\n{usage}");
            return 2;
    }
}

try
{
    if (command == "restore")
        return await RestoreCommand.RunAsync(args[1..], Console.Out, Console.Error).ConfigureAwait(false);
    var options = ConfigLoader.Load(file);
    return command switch
    {
        "check-config" => CheckConfig(options),
        "fetch-loaders" => await FetchLoadersAsync(options).ConfigureAwait(false),
        "first-token" => await FirstTokenAsync(options).ConfigureAwait(false),
        _ => await RunAsync(options).ConfigureAwait(false),
    };
}
catch (ConfigException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
catch (Exception e) when (e is StoreException or BackupException or PowerException or IOException
    or InvalidDataException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"brambled: {e.Message}");
    return 1;
}

int CheckConfig(BrambleOptions options)
{
    var problems = EnvironmentChecks.Check(options);
    foreach (var problem in problems) Console.Error.WriteLine($"{file}: {problem}");
    if (problems.Count > 0) return 2;
    Console.WriteLine($"{file}: in order: {options.Networks.Count} networks, "
        + $"{options.PowerDevices.Count} power devices, {options.Nodes.Count} nodes");
    return 0;
}

async Task<int> FirstTokenAsync(BrambleOptions options)
{
    if (RestoreSwap.IsPending(options.StateDirectory))
    {
        Console.Error.WriteLine("brambled: a restore was interrupted; start brambled once, which carries it on");
        return 1;
    }
    var database = Database.Open(options.StateDirectory, NullLogger<Database>.Instance);
    await using (database.ConfigureAwait(false))
    {
        var tokens = new TokenStore(database, new EventLog(database, TimeProvider.System), TimeProvider.System);
        if (tokens.HasAdmin)
        {
            Console.Error.WriteLine(
                "brambled: there is an admin token already; whoever has it makes more with 'bramble token create'");
            return 1;
        }
        var created = await tokens.CreateAsync("first", Role.Admin, null, "brambled first-token").ConfigureAwait(false);
        Console.WriteLine(created.Secret);
        return 0;
    }
}

async Task<int> FetchLoadersAsync(BrambleOptions options)
{
    using var images = new ImageStore(
        Path.Combine(options.StateDirectory, "images"), TimeProvider.System, NullLogger<ImageStore>.Instance);
    using var loaders = new LoaderFiles(images, TimeProvider.System, NullLogger<LoaderFiles>.Instance);
    foreach (var name in LoaderFiles.Names)
    {
        try
        {
            await loaders.FetchAsync([name], CancellationToken.None).ConfigureAwait(false);
        }
        catch (ImageException e)
        {
            // The others are of use without it; the table says what is missing.
            Console.Error.WriteLine($"brambled: {name}: {e.Message}");
        }
    }
    foreach (var state in loaders.States)
        Console.WriteLine($"{state.Name,-14} {state.Package,-24} {state.Path ?? "missing"}");
    return loaders.States.All(state => state.Path is not null) ? 0 : 1;
}

async Task<int> RunAsync(BrambleOptions options)
{
    var problems = EnvironmentChecks.Check(options);
    foreach (var problem in problems) Console.Error.WriteLine($"{file}: {problem}");
    if (problems.Count > 0) return 2;
    if (options.LogFile is { } path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Console.SetOut(new LogFile(path));
    }
    var timestamp = options.LogFile is null ? null : "yyyy-MM-ddTHH:mm:ss.fffZ ";
    using var loggers = LoggerFactory.Create(logging => logging
        .AddSystemdConsole(console => console.TimestampFormat = timestamp)
        .AddFilter("Microsoft", LogLevel.Warning));
    // Without a log file there is nothing to open anew; the signal must not end the daemon all the same.
    using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
    using var stop = new CancellationTokenSource();
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    // Before anything else is touched: a second daemon would take the first one's sockets away.
    using var state = StateLock.Take(options.StateDirectory);
    if (await RestoreSwap.FinishAsync(options.StateDirectory).ConfigureAwait(false) is { } aside)
        RestoreSwap.LogCarriedOn(loggers.CreateLogger<ManagerHost>(), aside);
    var manager = new ManagerHost(options, loggers);
    await using (manager.ConfigureAwait(false))
        return await manager.RunAsync(stop.Token).ConfigureAwait(false);

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}
