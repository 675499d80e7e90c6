using Bramble.Contracts.Api;
using Bramble.Contracts.Security;
using Bramble.Manager.Api;
using Bramble.Manager.Nodes;

namespace Bramble.Manager.Security;

/// <summary>The REST door to tokens: admins only.</summary>
public static class TokenEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(ApiRoutes.Tokens, (TokenStore tokens) => Json.Of(tokens.All))
            .RequireAuthorization(nameof(Role.Admin));
        routes.MapPost(ApiRoutes.Tokens, CreateAsync).RequireAuthorization(nameof(Role.Admin));
        routes.MapDelete(ApiRoutes.Token, RevokeAsync).RequireAuthorization(nameof(Role.Admin));
    }

    private static async Task<IResult> CreateAsync(
        TokenCreate create, TokenStore tokens, TimeProvider clock, HttpContext context)
    {
        if (string.IsNullOrWhiteSpace(create.Name) || create.Name.Length > 64)
            throw ProblemException.BadRequest("a token needs a name of 1 to 64 characters");
        if (create.ExpiresAt is { } expiry && expiry <= clock.GetUtcNow())
            throw ProblemException.BadRequest($"expiresAt {expiry:O} has passed already");
        var created = await tokens.CreateAsync(
            create.Name, create.Role, create.ExpiresAt, NodeEndpoints.Actor(context)).ConfigureAwait(false);
        return Json.Of(created, StatusCodes.Status201Created);
    }

    private static async Task<IResult> RevokeAsync(string id, TokenStore tokens, HttpContext context)
    {
        if (tokens.IsLastAdmin(id))
            throw ProblemException.Conflict("that is the last token of an admin; make another before you revoke it");
        return await tokens.RevokeAsync(id, NodeEndpoints.Actor(context)).ConfigureAwait(false)
            ? Results.NoContent() : throw ProblemException.NotFound($"there is no token with the id '{id}'");
    }
}
