using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Bramble.Cli;

/// <summary>All that a command touches outside itself and the API: streams, environment, clock, screen.</summary>
internal sealed class Terminal
{
    /// <summary>Data.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Talk.</summary>
    public required TextWriter Error { get; init; }

    public required TextReader In { get; init; }

    public required bool InIsTerminal { get; init; }

    public required bool OutIsTerminal { get; init; }

    public required bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the screen; asked anew for each page.</summary>
    public required Func<int> Width { get; init; }

    public required Func<string, string?> Variable { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Reads a line from the keyboard without showing it.</summary>
    public required Func<string> ReadSecret { get; init; }

    /// <summary>For data that is no text.</summary>
    public Func<Stream> OutBytes { get; init; } = Console.OpenStandardOutput;

    public static Terminal OfTheProcess() => new()
    {
        Out = DataOut(),
        Error = Console.Error,
        In = Console.In,
        InIsTerminal = !Console.IsInputRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        Width = () => Console.WindowWidth is > 0 and var columns ? columns : 80,
        Variable = Environment.GetEnvironmentVariable,
        Time = TimeProvider.System,
        ReadSecret = ReadKeysUnseen,
    };

    /// <summary>
    /// The console's own stream swallows EPIPE, so that <c>bramble events --watch | head -1</c> would never end; a
    /// plain stream on a pipe throws. Only on a pipe: on a file a <see cref="FileStream"/> writes at its own offset,
    /// over what stderr has put into the same file.
    /// </summary>
    private static TextWriter DataOut()
    {
        if (!Console.IsOutputRedirected || OperatingSystem.IsWindows()) return Console.Out;
#pragma warning disable CA2000 // lives as long as the process
        var stdout = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
#pragma warning restore CA2000
        return stdout.CanSeek ? Console.Out : new StreamWriter(stdout, new UTF8Encoding(false)) { AutoFlush = true };
    }

    private static string ReadKeysUnseen()
    {
        var line = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    return line.ToString();
                case ConsoleKey.Backspace:
                    if (line.Length > 0) line.Length--;
                    break;
                default:
                    if (!char.IsControl(key.KeyChar)) line.Append(key.KeyChar);
                    break;
            }
        }
    }
}
