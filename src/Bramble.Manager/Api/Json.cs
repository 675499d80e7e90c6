using System.Text.Json.Serialization.Metadata;
using Bramble.Contracts.Api;

namespace Bramble.Manager.Api;

/// <summary>Answers in the API's one JSON form.</summary>
public static class Json
{
    public static IResult Of<T>(T value, int status = StatusCodes.Status200OK) =>
        Results.Json(value, (JsonTypeInfo<T>)ContractsJson.Default.GetTypeInfo(typeof(T))!, statusCode: status);
}
