using System.ComponentModel;
using System.Text.Json;
using Bramble.Manager.Configuration;
using Bramble.Processes;

namespace Bramble.Manager.Gateway;

/// <summary>
/// Keeps the way out open for the networks that have one: forwarding on both interfaces, and a table of nftables of its
/// own. Looks once a second at what has changed, an uplink that came or went, a table that somebody flushed, and puts
/// it right. Takes all of it back when it is told to stop.
/// </summary>
public sealed partial class GatewayService
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private const int TicksToLook = 10;

    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly NetworkOptions[] _networks;
    private readonly Forwarding _forwarding;
    private readonly HashSet<string> _complained = [];
    private string _applied = "";
    private bool _warnedOfFirewall;

    public GatewayService(BrambleOptions options, TimeProvider clock, ILogger<GatewayService> logger)
    {
        (_clock, _logger) = (clock, logger);
        _networks = [.. options.Networks.Where(network => network.Gateway is not null)];
        _forwarding = new Forwarding(Path.Combine(options.StateDirectory, "gateway.json"));
    }

    /// <summary>Whether there is anything to do: a gateway is wanted, or a daemon that was killed left one.</summary>
    public bool IsNeeded => _networks.Length > 0 || _forwarding.HasRecord;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_tick, _clock);
        try
        {
            for (var tick = 0; ; tick++)
            {
                await TickAsync(look: tick % TicksToLook == 0, cancellation).ConfigureAwait(false);
                await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    private async Task TickAsync(bool look, CancellationToken cancellation)
    {
        try
        {
            var paths = Paths();
            string[] faces = [.. paths.SelectMany(path => (string[])[path.Interface, path.Uplink]).Distinct()];
            if (paths.Count > 0) _forwarding.Note(faces);
            // The doors are shut before the rules go that keep others out, and opened after these are there.
            _forwarding.CloseAllBut(faces);
            var rules = paths.Count == 0 ? GatewayRules.Removal : GatewayRules.Render(paths, _forwarding.Opened);
            var isGone = look && paths.Count > 0 && !await IsThereAsync(cancellation).ConfigureAwait(false);
            if (rules != _applied || isGone)
            {
                _applied = "";
                await ApplyAsync(rules, cancellation).ConfigureAwait(false);
                _applied = rules;
                foreach (var path in paths) LogOpen(path.Network, path.Uplink);
                if (paths.Count == 0) _forwarding.Forget();
                else await WarnOfFirewallAsync(cancellation).ConfigureAwait(false);
            }
            foreach (var face in faces) _forwarding.Open(face);
            _complained.Remove("");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            // Said once, until it works again; tried again every second.
            if (_complained.Add("")) LogFailed(e.Message);
        }
    }

    /// <summary>The ways out that can be: both interfaces are there.</summary>
    private List<GatewayPath> Paths()
    {
        var paths = new List<GatewayPath>();
        string[] inner = [.. _networks.Select(network => network.Interface)];
        foreach (var network in _networks)
        {
            var uplink = network.Gateway!.Uplink
                ?? DefaultRoute.Interface(File.ReadLines("/proc/net/route"), inner);
            var missing = uplink is null ? "there is no default route"
                : !_forwarding.Exists(uplink) ? $"there is no interface {uplink}"
                : !_forwarding.Exists(network.Interface) ? $"there is no interface {network.Interface}" : null;
            if (missing is null)
            {
                paths.Add(new GatewayPath(network.Interface, network.Address, uplink!));
                _complained.Remove(network.Name);
            }
            else if (_complained.Add(network.Name))
            {
                LogNoUplink(network.Name, missing);
            }
        }
        return paths;
    }

    private async Task CloseAsync()
    {
        try
        {
            _forwarding.CloseAllBut([]);
            await ApplyAsync(GatewayRules.Removal, CancellationToken.None).ConfigureAwait(false);
            _forwarding.Forget();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            LogFailed(e.Message);
        }
    }

    private static async Task ApplyAsync(string rules, CancellationToken cancellation)
    {
        var result = await NftAsync(["-f", "-"], rules, cancellation).ConfigureAwait(false);
        if (!result.Succeeded) throw new IOException($"nft: {result.Errors.Trim()}");
    }

    private static async Task<bool> IsThereAsync(CancellationToken cancellation)
    {
        string[] question = ["list", "table", "ip", GatewayRules.Table];
        return (await NftAsync(question, null, cancellation).ConfigureAwait(false)).Succeeded;
    }

    /// <summary>
    /// "accept" in our table does not overrule another one's "drop": who has a firewall that forwards nothing has to
    /// let the boards through there.
    /// </summary>
    private async Task WarnOfFirewallAsync(CancellationToken cancellation)
    {
        if (_warnedOfFirewall) return;
        var result = await NftAsync(["-j", "list", "chains"], null, cancellation).ConfigureAwait(false);
        if (!result.Succeeded) return;
        foreach (var table in DroppingTables(result.Output))
        {
            _warnedOfFirewall = true;
            LogFirewall(table);
        }
    }

    /// <summary>Tables of others whose policy for forwarded IPv4 is to drop, out of nft's JSON.</summary>
    internal static IReadOnlyList<string> DroppingTables(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.GetProperty("nftables").EnumerateArray()
                .Select(item => item.TryGetProperty("chain", out var chain) ? chain : default)
                .Where(chain => Is(chain, "hook", "forward") && Is(chain, "policy", "drop")
                    && (Is(chain, "family", "ip") || Is(chain, "family", "inet")))
                .Select(chain => $"{chain.GetProperty("family")} {chain.GetProperty("table")}").Distinct()];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return [];
        }

        static bool Is(JsonElement chain, string key, string value) => chain.ValueKind == JsonValueKind.Object
            && chain.TryGetProperty(key, out var found) && found.ValueEquals(value);
    }

    /// <exception cref="IOException">It did not end in time.</exception>
    private static async Task<ChildResult> NftAsync(string[] arguments, string? rules, CancellationToken cancellation)
    {
        try
        {
            return await ChildProcess.RunAsync(
                "nft", arguments, rules, timeout: s_patience, cancellation: cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"nft {string.Join(' ', arguments)} did not end within {s_patience.TotalSeconds} s");
        }
        catch (Win32Exception e)
        {
            throw new IOException($"nft cannot be run ({e.Message}): install nftables", e);
        }
    }
}
