using System.Net;

namespace Bramble.Manager.Tests.Api;

/// <summary>One API for all requests that are refused: none of them changes anything.</summary>
public sealed class RefusingApi : IAsyncLifetime
{
    internal ApiRig Api { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Api = await ApiRig.StartAsync();

    public ValueTask DisposeAsync() => Api.DisposeAsync();
}

/// <summary>Whatever makes no sense is refused in the API's one form, and the server lives.</summary>
public sealed class ApiRefusalTests(RefusingApi refusing) : IClassFixture<RefusingApi>
{
    [Theory]
    [InlineData("POST", "/api/v1/nodes", "{", 400)]
    [InlineData("POST", "/api/v1/nodes", "", 400)]
    [InlineData("POST", "/api/v1/nodes", "null", 400)]
    [InlineData("POST", "/api/v1/nodes", "[]", 400)]
    [InlineData("POST", "/api/v1/nodes", "{\"mac\":7}", 400)]
    [InlineData("POST", "/api/v1/nodes", "{\"mac\":\"nonsense\"}", 400)]
    [InlineData("POST", "/api/v1/nodes", "{}", 400)]
    [InlineData("POST", "/api/v1/nodes", "{\"mac\":\"01:00:5e:00:00:01\"}", 400)]
    [InlineData("POST", "/api/v1/nodes/actions/dance", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/1", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/adopt,forget", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/adopt", "{\"select\":[\"nobody\"]}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/adopt", "{\"select\":[null]}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/adopt", "{\"select\":null}", 400)]
    [InlineData("POST", "/api/v1/nodes/actions/adopt", "{}", 400)]
    [InlineData("POST", "/api/v1/nodes/actions/install", "{\"all\":true,\"image\":\"nothing\"}", 404)]
    [InlineData("POST", "/api/v1/nodes/actions/install", "{\"all\":true,\"disk\":\"the big one\"}", 400)]
    [InlineData("POST", "/api/v1/power/dance", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/power/+1", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/power/-1", "{\"all\":true}", 404)]
    [InlineData("POST", "/api/v1/power/off", "{}", 400)]
    [InlineData("GET", "/api/v1/nodes?select=nobody", null, 404)]
    [InlineData("GET", "/api/v1/nodes/nobody", null, 404)]
    [InlineData("GET", "/api/v1/nodes/nobody/timeline", null, 404)]
    [InlineData("GET", "/api/v1/nodes/1/timeline?boots=many", null, 400)]
    [InlineData("GET", "/api/v1/events?after=x", null, 400)]
    [InlineData("GET", "/api/v1/events?node=nobody", null, 404)]
    [InlineData("GET", "/api/v1/images/nothing", null, 404)]
    [InlineData("DELETE", "/api/v1/images/nothing", null, 404)]
    [InlineData("GET", "/api/v1/image-jobs/77", null, 404)]
    [InlineData("GET", "/api/v1/image-jobs/x", null, 400)]
    [InlineData("POST", "/api/v1/image-jobs", "{}", 400)]
    [InlineData("POST", "/api/v1/image-jobs", "{\"kind\":\"fetch\",\"name\":\"a\",\"url\":\"file:///etc/passwd\"}",
        400)]
    [InlineData("POST", "/api/v1/image-jobs", "{\"kind\":\"dance\",\"name\":\"a\"}", 400)]
    [InlineData("POST", "/api/v1/tokens", "{\"name\":\"\",\"role\":\"viewer\"}", 400)]
    [InlineData("POST", "/api/v1/tokens", "{\"name\":\"x\",\"role\":\"king\"}", 400)]
    [InlineData("POST", "/api/v1/tokens", "{\"name\":\"x\",\"role\":2}", 400)]
    [InlineData("POST", "/api/v1/tokens", "{\"name\":\"x\",\"role\":\"viewer\",\"expiresAt\":\"2001-01-01T00:00:00Z\"}",
        400)]
    [InlineData("DELETE", "/api/v1/tokens/none", null, 404)]
    [InlineData("PUT", "/api/v1/nodes", "{}", 405)]
    [InlineData("GET", "/api/v1/nothing", null, 404)]
    [InlineData("GET", "/nothing.html", null, 404)]
    public async Task What_makes_no_sense_is_refused_with_problem_details(
        string method, string path, string? json, int status) =>
        Assert.NotEqual("", await refusing.Api.RefusedAsync((HttpStatusCode)status, method, path, json));
}
