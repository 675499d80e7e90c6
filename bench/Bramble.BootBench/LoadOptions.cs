using System.Globalization;
using System.Text.Json;

namespace Bramble.BootBench;

/// <summary>What a load does; given on the command line to a process of its own, in the clients' namespace.</summary>
internal sealed record LoadOptions
{
    public required string Server { get; init; }

    public required int Port { get; init; }

    public required string Path { get; init; }

    public int Clients { get; init; } = 1;

    /// <summary>How often each client fetches it.</summary>
    public int Fetches { get; init; } = 1;

    public int BlockSize { get; init; } = 1468;

    public int WindowSize { get; init; } = 1;

    /// <summary>The file that it should be; null to trust.</summary>
    public string? Verify { get; init; }
}

/// <summary>What a load did.</summary>
/// <param name="Window">Blocks in the window that the server granted.</param>
internal sealed record LoadResult(long Bytes, double Seconds, long Retries, int Window)
{
    public double MegabytesPerSecond => Bytes / 1e6 / Seconds;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Bytes} {Seconds:R} {Retries} {Window}");

    public static LoadResult Parse(string line) =>
        line.Split(' ') is [var bytes, var seconds, var retries, var window]
            ? new LoadResult(Number(bytes), double.Parse(seconds, CultureInfo.InvariantCulture), Number(retries),
                (int)Number(window))
            : throw new FormatException(line);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

internal static class LoadCommand
{
    /// <summary><c>load tftp|http JSON</c>.</summary>
    public static int Run(string kind, string json)
    {
        var options = JsonSerializer.Deserialize<LoadOptions>(json)!;
        Console.WriteLine(kind == "tftp" ? TftpLoad.Run(options) : HttpLoad.Run(options));
        return 0;
    }
}
