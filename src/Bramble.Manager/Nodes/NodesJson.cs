using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bramble.Contracts.Api;
using Bramble.Contracts.Nodes;
using Bramble.Wire;

namespace Bramble.Manager.Nodes;

/// <summary>
/// The form in which spec and status are kept in the store. By reflection: generated code sets every init-only
/// property, also one that a record of an older version lacks, whose default would be lost.
/// </summary>
internal static class NodesJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new LowerCase<NodePhase>(), new LowerCase<NodeGoal>(), new IPv4AddressJson() },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public static JsonTypeInfo<NodeSpec> Spec { get; } =
        (JsonTypeInfo<NodeSpec>)s_options.GetTypeInfo(typeof(NodeSpec));

    public static JsonTypeInfo<NodeStatus> Status { get; } =
        (JsonTypeInfo<NodeStatus>)s_options.GetTypeInfo(typeof(NodeStatus));
}

internal sealed class IPv4AddressJson : JsonConverter<IPv4Address>
{
    public override IPv4Address Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        IPv4Address.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, IPv4Address value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
