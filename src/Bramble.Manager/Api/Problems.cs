using System.Text.Json;
using Bramble.Contracts.Api;
using Bramble.Manager.Nodes;
using Bramble.Manager.Store;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.WebUtilities;

namespace Bramble.Manager.Api;

/// <summary>A request that cannot be carried out: becomes problem details with this status.</summary>
public sealed class ProblemException(int status, string title, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    public string Title { get; } = title;

    public static ProblemException BadRequest(string detail) => new(400, "Bad request", detail);

    public static ProblemException NotFound(string detail) => new(404, "Not found", detail);

    public static ProblemException Conflict(string detail) => new(409, "Conflict", detail);
}

/// <summary>RFC 9457 problem details for every failure of the API.</summary>
public static class Problems
{
    public static Task WriteAsync(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new ProblemView("about:blank", title, status, detail),
            ContractsJson.Default.ProblemView, "application/problem+json");
    }

    /// <summary>
    /// What answers when an endpoint throws. A refusal is no error of ours: only the unexpected is logged.
    /// </summary>
    public static ExceptionHandlerOptions Handler() => new()
    {
        ExceptionHandler = HandleAsync,
        SuppressDiagnosticsCallback = context => context.Exception is ProblemException or NodeConflictException
            or BadHttpRequestException or JsonException or StoreException,
    };

    private static Task HandleAsync(HttpContext context)
    {
        var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var (status, title, detail) = error switch
        {
            ProblemException problem => (problem.Status, problem.Title, problem.Message),
            NodeConflictException conflict => (409, "Conflict", conflict.Message),
            BadHttpRequestException bad => (bad.StatusCode, "Bad request",
                bad.InnerException is JsonException json ? Misshapen(json) : bad.Message),
            JsonException json => (400, "Bad request", Misshapen(json)),
            StoreException store => (503, "The store does not take writes", store.Message),
            _ => (500, "Internal error", "brambled hit an error that it did not expect; its log has the details"),
        };
        return WriteAsync(context, status, title, detail);
    }

    private static string Misshapen(JsonException json) => $"the body is not as the API states it: {json.Message}";

    /// <summary>
    /// Gives a refusal of the web server itself (a wrong method, a wrong content type) its problem details.
    /// </summary>
    public static Task ExplainAsync(StatusCodeContext refused)
    {
        var context = refused.HttpContext;
        var status = context.Response.StatusCode;
        return WriteAsync(context, status, ReasonPhrases.GetReasonPhrase(status), status switch
        {
            404 => $"there is no {context.Request.Path} in this API",
            405 => $"{context.Request.Path} is not there for {context.Request.Method}",
            415 => "the body must be application/json",
            _ => $"{context.Request.Method} {context.Request.Path} was refused",
        });
    }
}
