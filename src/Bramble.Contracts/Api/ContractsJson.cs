using System.Text.Json;
using System.Text.Json.Serialization;
using Bramble.Contracts.Dhcp;
using Bramble.Contracts.Events;
using Bramble.Contracts.Images;
using Bramble.Contracts.Leases;
using Bramble.Contracts.Nodes;
using Bramble.Contracts.Power;
using Bramble.Contracts.Security;

namespace Bramble.Contracts.Api;

/// <summary>The JSON form of all that crosses the API: camelCase names, enumerations as lower-case words.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(LowerCase<NodePhase>), typeof(LowerCase<NodeGoal>), typeof(LowerCase<Role>), typeof(LowerCase<NodeVerb>),
        typeof(LowerCase<NodeImportVerdict>),
    ])]
[JsonSerializable(typeof(ManagerView))]
[JsonSerializable(typeof(ProblemView))]
[JsonSerializable(typeof(NodeView))]
[JsonSerializable(typeof(IReadOnlyList<NodeView>))]
[JsonSerializable(typeof(NodeCreate))]
[JsonSerializable(typeof(NodePatch))]
[JsonSerializable(typeof(NodeActionRequest))]
[JsonSerializable(typeof(NodeActionResult))]
[JsonSerializable(typeof(NodeImportRequest))]
[JsonSerializable(typeof(NodeImportResult))]
[JsonSerializable(typeof(TimelineView))]
[JsonSerializable(typeof(IReadOnlyList<PowerView>))]
[JsonSerializable(typeof(PowerRequest))]
[JsonSerializable(typeof(ImageView))]
[JsonSerializable(typeof(IReadOnlyList<ImageView>))]
[JsonSerializable(typeof(ImageJobRequest))]
[JsonSerializable(typeof(ImageJobView))]
[JsonSerializable(typeof(IReadOnlyList<ImageJobView>))]
[JsonSerializable(typeof(IReadOnlyList<LeaseView>))]
[JsonSerializable(typeof(IReadOnlyList<DhcpCountsView>))]
[JsonSerializable(typeof(DhcpExplainRequest))]
[JsonSerializable(typeof(IReadOnlyList<DhcpExplanationView>))]
[JsonSerializable(typeof(BootExplanationView))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(IReadOnlyList<EventView>))]
[JsonSerializable(typeof(TokenCreate))]
[JsonSerializable(typeof(TokenCreated))]
[JsonSerializable(typeof(IReadOnlyList<TokenView>))]
public sealed partial class ContractsJson : JsonSerializerContext;

/// <summary>An enumeration as its member's name in lower case; an unknown word or a bare number is refused.</summary>
public sealed class LowerCase<T>()
    : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
