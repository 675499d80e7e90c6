using System.CommandLine;
using Bramble.Cli.Api;
using Bramble.Cli.Login;
using Bramble.Cli.Output;

namespace Bramble.Cli;

/// <summary>One run of one command: what was typed, where it prints, and the way to the manager.</summary>
internal sealed class Session : IDisposable
{
    private readonly GlobalOptions _options;
    private ApiClient? _api;

    public Session(Terminal terminal, GlobalOptions options, ParseResult typed)
    {
        Terminal = terminal;
        _options = options;
        Typed = typed;
        Yes = typed.GetValue(options.Yes);
        DryRun = typed.GetValue(options.DryRun);
        Timeout = typed.GetValue(options.Timeout);
        var plain = typed.GetValue(options.NoColor) || terminal.Variable("NO_COLOR") is { Length: > 0 }
            || terminal.Variable("TERM") == "dumb";
        Printer = new Printer(terminal, OutputFormats.Parse(typed.GetValue(options.Output)!), colours: !plain);
    }

    public Terminal Terminal { get; }

    public ParseResult Typed { get; }

    public Printer Printer { get; }

    public bool Yes { get; }

    public bool DryRun { get; }

    /// <summary>As typed; null for each use's own.</summary>
    public TimeSpan? Timeout { get; }

    public Connection Connection => field ??= Connection.Find(Terminal, Typed.GetValue(_options.Server));

    public ApiClient Api => _api ??= OpenApi();

    /// <summary>Talk, on stderr.</summary>
    public void Say(string text) => Printer.Say(text);

    public T? Value<T>(Option<T> option) => Typed.GetValue(option);

    public T? Value<T>(Argument<T> argument) => Typed.GetValue(argument);

    public void Dispose() => _api?.Dispose();

    private ApiClient OpenApi()
    {
        if (Connection.Warning.Length > 0) Say($"warning: {Connection.Warning}");
        return new ApiClient(Connection, Timeout ?? ApiClient.UsualTimeout, Terminal.Time);
    }
}
