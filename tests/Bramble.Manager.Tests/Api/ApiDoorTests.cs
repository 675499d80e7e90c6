using System.Net;
using System.Reflection;
using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bramble.Manager.Tests.Api;

/// <summary>Every door of the API is closed to whoever has no token for it, and every refusal says why.</summary>
public sealed class ApiDoorTests : IAsyncLifetime
{
    private ApiRig _api = null!;

    public async ValueTask InitializeAsync() => _api = await ApiRig.StartAsync();

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    /// <summary>Each method of each route that the web server really has, with its places filled.</summary>
    private List<(string Method, string Path)> Endpoints() => [.. _api.App.Services
        .GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods
            is { Count: > 0 } methods
            ? methods.Select(method => (method, Fill(endpoint.RoutePattern.RawText!)))
            : [("GET", Fill(endpoint.RoutePattern.RawText!))])];

    private static string Fill(string pattern) => System.Text.RegularExpressions.Regex.Replace(pattern, @"\{([^}]*)\}",
        place => place.Groups[1].Value switch { "documentName" => "v1", "verb" => "cycle", "id" => "1", _ => "none" });

    /// <summary>The least role for each; what is not listed here is the viewer's.</summary>
    private static Role LeastRole(string method, string path) =>
        path.StartsWith(ApiRoutes.Tokens, StringComparison.Ordinal)
            || path == ApiRoutes.Backup || path == Fill(ApiRoutes.Capture)
            || path.Contains("none:nonfile", StringComparison.Ordinal)
            || path == "none" ? Role.Admin
        // What is only explained changes nothing.
        : path == Fill(ApiRoutes.BootExplain) ? Role.Operator
        : method is "GET" or "HEAD" || path == ApiRoutes.DhcpExplain ? Role.Viewer : Role.Operator;

    [Fact]
    public void The_endpoints_are_those_of_the_contract()
    {
        var routes = typeof(ApiRoutes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.Name != nameof(ApiRoutes.Prefix)).Select(
                field => Fill((string)field.GetValue(null)!));
        var served = Endpoints().Select(e => e.Path).ToHashSet();
        Assert.All(routes, route => Assert.Contains(route, served));
        Assert.True(served.Count > 15);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("brm_00000000_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    [InlineData("nonsense")]
    [InlineData("brm__")]
    public async Task Every_endpoint_refuses_whoever_has_no_good_token(string? token)
    {
        foreach (var (method, path) in Endpoints())
        {
            using var response = await _api.SendAsync(method, path, token, method is "GET" or "HEAD" ? null : "{}");
            Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, $"{method} {path}: {response.StatusCode}");
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        }
        Assert.Contains("token",
            await _api.RefusedAsync(HttpStatusCode.Unauthorized, "GET", ApiRoutes.Nodes, token: "x"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_endpoint_is_open_from_its_role_upwards_and_closed_below()
    {
        foreach (var (method, path) in Endpoints())
        {
            // The stream never ends; its own test reads it.
            if (path is ApiRoutes.EventStream) continue;
            foreach (var role in Enum.GetValues<Role>())
            {
                using var response = await _api.SendAsync(method, path, _api.TokenOf(role),
                    method is "GET" or "HEAD" ? null : "{}");
                var open = role >= LeastRole(method, path);
                Assert.True(open == (response.StatusCode != HttpStatusCode.Forbidden)
                    && response.StatusCode != HttpStatusCode.InternalServerError,
                    $"{method} {path} as {role}: {response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task A_role_that_is_too_low_is_told_so() => Assert.Equal(
        "the token 'looker' has not the role that POST /api/v1/power/off needs",
        await _api.RefusedAsync(HttpStatusCode.Forbidden, "POST", "/api/v1/power/off", "{}", _api.Viewer));

    [Fact]
    public async Task Expired_and_revoked_tokens_open_nothing_any_more()
    {
        var soon = await _api.Tokens.CreateAsync("soon", Role.Admin, _api.Rig.Clock.GetUtcNow().AddMinutes(5), "test");
        using (var before = await _api.SendAsync("GET", ApiRoutes.Nodes, soon.Secret))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        _api.Rig.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("the token is unknown, revoked or expired",
            await _api.RefusedAsync(HttpStatusCode.Unauthorized, "GET", ApiRoutes.Nodes, token: soon.Secret));
        using var revoked = await _api.SendAsync(
            "DELETE", $"{ApiRoutes.Tokens}/{_api.Viewer.Split('_')[1]}", _api.Admin);
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        await _api.RefusedAsync(HttpStatusCode.Unauthorized, "GET", ApiRoutes.Nodes, token: _api.Viewer);
    }

    [Fact]
    public async Task The_last_token_of_an_admin_cannot_be_revoked()
    {
        // One that has expired counts for nothing.
        await _api.Tokens.CreateAsync("old", Role.Admin, _api.Rig.Clock.GetUtcNow().AddMinutes(1), "test");
        _api.Rig.Clock.Advance(TimeSpan.FromMinutes(2));
        var path = $"{ApiRoutes.Tokens}/{_api.Admin.Split('_')[1]}";
        Assert.Contains("last token of an admin", await _api.RefusedAsync(HttpStatusCode.Conflict, "DELETE", path),
            StringComparison.Ordinal);
        await _api.Tokens.CreateAsync("second", Role.Admin, null, "test");
        using var response = await _api.SendAsync("DELETE", path, _api.Admin);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    [Theory]
    [InlineData("viewer")]
    [InlineData("operator")]
    [InlineData("admin")]
    public async Task A_token_is_made_for_a_role_by_its_name(string role)
    {
        using var response = await _api.SendAsync(
            "POST", ApiRoutes.Tokens, _api.Admin, $$"""{"name":"x","role":"{{role}}"}""");
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var made = System.Text.Json.Nodes.JsonNode.Parse(
            await response.Content.ReadAsStringAsync(Scratch.Cancellation))!;
        Assert.Equal(role, (string)made["token"]!["role"]!);
        Assert.Equal(role, _api.Tokens.Authenticate((string)made["secret"]!)!.Role.ToString().ToLowerInvariant());
    }

    [Fact]
    public async Task A_body_of_another_kind_is_refused_with_problem_details() => Assert.Contains("application/json",
        await _api.RefusedAsync(
            HttpStatusCode.UnsupportedMediaType, "POST", "/api/v1/nodes", "mac: x", contentType: "text/yaml"),
        StringComparison.Ordinal);

    [Fact]
    public async Task Bad_json_is_told_where()
    {
        var detail = await _api.RefusedAsync(HttpStatusCode.BadRequest, "POST", "/api/v1/nodes", "{\"mac\":7}");
        Assert.Contains("$.mac", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_openapi_document_lists_every_route()
    {
        var paths = (await _api.GetAsync("/openapi/v1.json"))["paths"]!.AsObject().Select(p => p.Key).ToHashSet();
        var routes = typeof(ApiRoutes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(field => field.Name != nameof(ApiRoutes.Prefix)).Select(field => (string)field.GetValue(null)!);
        Assert.All(routes, route => Assert.Contains(route, paths));
    }

    [Fact]
    public async Task The_socket_may_be_reached_by_everyone_since_a_token_is_asked_for()
    {
        var mode = File.GetUnixFileMode(_api.Rig.Scratch["run/api.sock"]);
        Assert.True(mode.HasFlag(UnixFileMode.OtherWrite | UnixFileMode.GroupWrite));
        using var response = await _api.SendAsync("GET", ApiRoutes.Manager, _api.Viewer);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Server"));
    }
}
