using System.Text;

namespace Bramble.Cli.Api;

/// <summary>Fills in a route of <see cref="Contracts.Api.ApiRoutes"/>.</summary>
internal static class ApiPath
{
    /// <summary>Puts a value into the route's one <c>{…}</c>.</summary>
    public static string Of(string route, string value)
    {
        // Even percent-encoded, these would be folded away as steps up the path.
        if (value is "" or "." or "..") throw new UsageException($"'{value}' is no name");
        var from = route.IndexOf('{', StringComparison.Ordinal);
        var to = route.IndexOf('}', StringComparison.Ordinal);
        return $"{route[..from]}{Uri.EscapeDataString(value)}{route[(to + 1)..]}";
    }

    /// <summary>Adds the query; a null value leaves its parameter out.</summary>
    public static string With(string path, params IEnumerable<(string Name, string? Value)> query)
    {
        var text = new StringBuilder(path);
        var mark = '?';
        foreach (var (name, value) in query)
        {
            if (value is null) continue;
            text.Append(mark).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            mark = '&';
        }
        return text.ToString();
    }
}
