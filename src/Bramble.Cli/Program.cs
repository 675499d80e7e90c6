using Bramble.Cli;

// The interrupt and termination signals are System.CommandLine's to catch: they cancel the command's token.
return await CommandLine.RunAsync(args, Terminal.OfTheProcess(), CancellationToken.None);
