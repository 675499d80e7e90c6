using System.Security.Claims;
using System.Text.Encodings.Web;
using Bramble.Contracts.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Bramble.Manager.Security;

/// <summary>RFC 6750 bearer tokens for the API. Every endpoint is closed unless a token's role opens it.</summary>
public sealed class BearerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenStore tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Bearer";

    /// <summary>Adds the scheme, one policy a role, and the fallback that closes what names none.</summary>
    public static void AddTo(IServiceCollection services)
    {
        services.AddAuthentication(SchemeName)
            .AddScheme<AuthenticationSchemeOptions, BearerAuthentication>(SchemeName, null);
        var builder = services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder(SchemeName).RequireRole(nameof(Role.Admin)).Build());
        foreach (var role in Enum.GetValues<Role>())
        {
            var enough = Enum.GetValues<Role>().Where(r => r >= role).Select(r => r.ToString());
            builder.AddPolicy(role.ToString(), policy => policy.RequireRole(enough));
        }
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TryBearer(Request, out var token) && tokens.Authenticate(token) is { } view)
        {
            var identity = new ClaimsIdentity(
                [new Claim(ClaimTypes.Name, view.Name), new Claim(ClaimTypes.Role, view.Role.ToString())], SchemeName);
            return Task.FromResult(AuthenticateResult.Success(
                new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
        }
        return Task.FromResult(AuthenticateResult.NoResult());
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        return Api.Problems.WriteAsync(Context, StatusCodes.Status401Unauthorized, "No valid token",
            Request.Headers.Authorization.Count == 0
                ? "the request carries no 'Authorization: Bearer' token"
                : "the token is unknown, revoked or expired");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Api.Problems.WriteAsync(Context, StatusCodes.Status403Forbidden, "Not allowed",
            $"the token '{Context.User.Identity?.Name}' has not the role that {Request.Method} {Request.Path} needs");

    /// <summary>The bearer token of a request, whoever issued it.</summary>
    public static bool TryBearer(HttpRequest request, out string token)
    {
        var header = request.Headers.Authorization.ToString();
        token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : "";
        return token.Length > 0;
    }
}
