using System.ComponentModel;
using Bramble.Processes;
using Bramble.Wire;

namespace Bramble.Manager.Power.Drivers;

/// <summary>
/// Switches ports by a program of the operator's: exit code 0 means done. Asked for <c>status</c>, it prints
/// <c>on</c>, <c>off</c>, <c>fault</c> or <c>unknown</c> as its first word, and may add the watts.
/// </summary>
internal sealed partial class ExecDriver : IPowerDriver
{
    private readonly ExecOptions _options;
    private readonly Func<PowerPort, string?> _nodeAt;
    private readonly ILogger _log;

    public ExecDriver(ExecOptions options, Func<PowerPort, string?> nodeAt, ILogger log)
    {
        if (options.Command.Count == 0 || options.Command[0].Length == 0)
            throw new PowerException($"power device {options.Name}: its command is empty");
        if (options.Timeout <= TimeSpan.Zero)
            throw new PowerException($"power device {options.Name}: its timeout must be above zero");
        if (!options.Command.Any(a => a.Contains("{action}", StringComparison.Ordinal)))
            throw new PowerException(
                $"power device {options.Name}: its command has no {{action}}, so it could not tell on from off");
        _options = options;
        _nodeAt = nodeAt;
        _log = log;
    }

    public string Kind => _options.Kind;

    public bool CanFind => false;

    public async Task<PowerReading> ReadAsync(PowerPort port, CancellationToken cancellation)
    {
        var result = await RunAsync(port, "status", cancellation).ConfigureAwait(false);
        var words = result.Output.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
        PowerState? state = words is [] ? null : words[0].ToLowerInvariant() switch
        {
            "on" => PowerState.On,
            "off" => PowerState.Off,
            "fault" => PowerState.Fault,
            "unknown" => PowerState.Unknown,
            _ => null,
        };
        if (state is null)
            throw new PowerException(
                $"power device {_options.Name}: {_options.Command[0]} status of port {port.Port} printed "
                + $"'{Shorten(result.Output.Trim())}', where on, off, fault or unknown was expected");
        return new PowerReading
        {
            State = state.Value,
            Watts = words.Length > 1 && double.TryParse(words[1], out var watts) && watts >= 0 ? watts : null,
            Detail = $"{_options.Command[0]} says {words[0].ToLowerInvariant()}",
        };
    }

    public async Task SetAsync(PowerPort port, bool on, CancellationToken cancellation)
    {
        await RunAsync(port, on ? "on" : "off", cancellation).ConfigureAwait(false);
        LogSet(_options.Name, port.Port, on ? "on" : "off");
    }

    public Task<PowerPort?> FindAsync(MacAddress mac, CancellationToken cancellation) =>
        Task.FromResult<PowerPort?>(null);

    public void Dispose()
    {
    }

    private async Task<ChildResult> RunAsync(PowerPort port, string action, CancellationToken cancellation)
    {
        var node = _nodeAt(port) ?? "";
        string Fill(string argument) => PowerArguments.Fill(argument, port.Port, action, node);
        var program = _options.Command[0];
        ChildResult result;
        try
        {
            // The program itself is as configured: a port's name never chooses what is run.
            result = await ChildProcess.RunAsync(program, _options.Command.Skip(1).Select(Fill),
                timeout: _options.Timeout, cancellation: cancellation).ConfigureAwait(false);
        }
        catch (Win32Exception e)
        {
            throw new PowerException($"power device {_options.Name}: {program} cannot be run: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new PowerException($"power device {_options.Name}: {program} {action} of port {port.Port} "
                + $"was killed: not done after {_options.Timeout.TotalSeconds:0.#} s", e);
        }
        if (result.Succeeded) return result;
        var complaint = Shorten(result.Complaint);
        throw new PowerException($"power device {_options.Name}: {program} {action} of port {port.Port} failed "
            + $"with exit code {result.ExitCode}{(complaint.Length > 0 ? $": {complaint}" : "")}");
    }

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}

/// <summary>
/// Puts a port, an action and a node into an argument, in one pass: what is put in is not looked at again.
/// </summary>
internal static class PowerArguments
{
    public static string Fill(string argument, string port, string action, string node)
    {
        var filled = new System.Text.StringBuilder();
        var rest = argument.AsSpan();
        while (rest.IndexOf('{') is >= 0 and var open)
        {
            filled.Append(rest[..open]);
            rest = rest[open..];
            var (name, value) = rest.StartsWith("{port}") ? ("{port}", port)
                : rest.StartsWith("{action}") ? ("{action}", action)
                : rest.StartsWith("{node}") ? ("{node}", node)
                : ("{", "{");
            filled.Append(value);
            rest = rest[name.Length..];
        }
        return filled.Append(rest).ToString();
    }
}
